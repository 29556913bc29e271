// Text around what is fed: the question template, the time mark, and the cleaning of a person's text.
// Must not know tokens.

/**
 * A question as the model was taught to see one: ends trimmed, every run of blank lines one newline, no control
 * characters (some models use them as role marks), and never the stop text.
 */
export function cleanQuestion(text: string, stop_text: string | undefined): string {
  let clean = text
    .replace(/\r\n?/g, "\n")
    // deno-lint-ignore no-control-regex
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, "")
    .replace(/\n\s*\n/g, "\n")
    .trim();
  // Each round makes the text shorter or removes the only character of the stop text, so this ends.
  while (stop_text !== undefined && clean.includes(stop_text)) {
    clean = clean.replaceAll(stop_text, " ").trim();
  }
  return clean;
}

/** Puts the question where the template says {question}; what is in the question is never a template. */
export function fillQuestion(template: string, question: string): string {
  const [before, after] = template.split("{question}");
  return before + question + after;
}

/** `{seconds}`: whole seconds of media time. `{clock}`: the same as 12:05 or 1:00:07. */
export function fillMark(mark: string, t_media_ms: number): string {
  const seconds = Math.max(0, Math.floor(t_media_ms / 1000));
  return mark.replaceAll("{seconds}", String(seconds)).replaceAll("{clock}", clockText(seconds));
}

function clockText(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
