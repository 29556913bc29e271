// JSON with // comments and trailing commas, as people write configuration files. Knows nothing of what is in it.

/** The text as plain JSON, same length, so that error positions stay true. Strings are left alone. */
export function stripComments(text: string): string {
  const comment = String.raw`\/\/[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*\*\/`;
  const parts = text.matchAll(
    new RegExp(String.raw`"(?:[^"\\]|\\.)*"|${comment}|,(?=(?:\s|${comment})*[}\]])`, "g"),
  );
  let plain = "";
  let end = 0;
  for (const part of parts) {
    const found = part[0];
    plain += text.slice(end, part.index);
    plain += found.startsWith('"') ? found : found.replace(/[^\n]/g, " ");
    end = part.index + found.length;
  }
  return plain + text.slice(end);
}
