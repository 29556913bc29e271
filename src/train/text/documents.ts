// Text files as documents: a plain file is one, a line of a JSONL file with "text" is one. Bad lines are told, counted
// and left out. Must not know tokens or windows.
import { DataError } from "../llava/errors.ts";
import { listKind, readElements } from "../llava/json_elements.ts";
import { data_limits } from "../llava/limits.ts";

export interface DocumentReport {
  documents: number;
  bad_rows: number;
}

/** `.jsonl` has a document a line, `.json` is a list of them, everything else is text. Throws DataError. */
export async function* readDocuments(
  path: string,
  report: DocumentReport,
  onProblem: (line: string) => void = () => {},
): AsyncGenerator<string> {
  if (!/\.(jsonl?|ndjson)$/i.test(path)) {
    const text = await readText(path);
    if (text.trim() === "") return;
    report.documents++;
    yield text;
    return;
  }
  const list = listKind(path) === "list";
  for await (const { bytes, number, line, length } of readElements(path)) {
    const text = bytes === undefined ? undefined : readDocument(bytes);
    if (typeof text === "string") {
      report.documents++;
      yield text;
      continue;
    }
    report.bad_rows++;
    const place = list ? `element ${number} (line ${line})` : `line ${line}`;
    onProblem(`${path}: ${place}: ${text?.problem ?? `it has ${length} bytes`}`);
  }
}

function readDocument(bytes: Uint8Array): string | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return { problem: error instanceof SyntaxError ? `it is no JSON: ${error.message}` : "it is no UTF-8" };
  }
  const text = (value as { text?: unknown } | null)?.text;
  if (typeof text !== "string") return { problem: 'it has no "text"' };
  return text === "" ? { problem: "its text is empty" } : text;
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await Deno.stat(path);
    if (size > data_limits.text_bytes_max) {
      throw new Error(
        `it has ${size} bytes, ${data_limits.text_bytes_max} are read as one text; JSONL has no such bound`,
      );
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound
      ? "not found"
      : cause instanceof TypeError
      ? "it is no UTF-8"
      : (cause as Error).message;
    throw new DataError("data_unreadable", `Cannot read "${path}": ${why}`, { cause });
  }
}
