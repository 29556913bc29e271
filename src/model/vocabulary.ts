// A World-format tokenizer file becomes a table of tokens. Owns the file's rules; must not know encoding.
// One line per token: `<id> <Python literal> <byte count>`, in any order of ids.
import { ModelError } from "./errors.ts";
import { readLiteral } from "./python_literal.ts";

/** Ids are array positions here, so one line must not make the tables huge. RWKV files have 65,536. */
export const token_id_max = (1 << 20) - 1;
/** Bytes of a tokenizer file. The World file has 1.1 MB. */
export const tokenizer_bytes_max = 64 << 20;

export interface Vocabulary {
  /** Ids in file order. */
  readonly ids: Uint32Array;
  readonly id_max: number;
  /** The bytes of every token, one behind the other; token `id` is bytes[starts[id] .. ends[id]). */
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  /** 0 where there is no token of that id. */
  readonly ends: Uint32Array;
}

export function tokenizerError(path: string, line_number: number, reason: string): ModelError {
  return new ModelError(
    "tokenizer_invalid",
    `Cannot read tokenizer "${path}": line ${line_number}: ${reason}`,
  );
}

/** `path` is only for messages. Throws ModelError `tokenizer_invalid` with the number of the first bad line. */
export function parseVocabulary(file: Uint8Array, path: string): Vocabulary {
  if (file.length > tokenizer_bytes_max) {
    throw new ModelError(
      "tokenizer_invalid",
      `Cannot read tokenizer "${path}": ${file.length} bytes are too many`,
    );
  }
  const lines = splitLines(file, path);
  if (lines.length === 0) {
    throw new ModelError("tokenizer_invalid", `Cannot read tokenizer "${path}": the file is empty`);
  }
  const ids = new Uint32Array(lines.length);
  let id_max = 0;
  for (let index = 0; index < lines.length; index++) {
    const id = readId(lines[index]);
    if (typeof id === "string") throw tokenizerError(path, index + 1, id);
    ids[index] = id;
    id_max = Math.max(id_max, id);
  }
  // A literal is never shorter than the bytes it stands for, so the file's size is room enough for all of them.
  const bytes = new Uint8Array(file.length);
  const starts = new Uint32Array(id_max + 1);
  const ends = new Uint32Array(id_max + 1);
  let end = 0;
  for (let index = 0; index < lines.length; index++) {
    const id = ids[index];
    if (ends[id] !== 0) throw tokenizerError(path, index + 1, `id ${id} was given before`);
    const count = readToken(lines[index], bytes.subarray(end));
    if (typeof count === "string") throw tokenizerError(path, index + 1, count);
    starts[id] = end;
    end += count;
    ends[id] = end;
  }
  return { ids, id_max, bytes: bytes.subarray(0, end), starts, ends };
}

function splitLines(file: Uint8Array, path: string): string[] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(file);
  } catch (cause) {
    throw new ModelError("tokenizer_invalid", `Cannot read tokenizer "${path}": the file is not UTF-8`, {
      cause,
    });
  }
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function readId(line: string): number | string {
  const digits = line.slice(0, Math.max(line.indexOf(" "), 0));
  if (!/^[0-9]{1,8}$/.test(digits)) return "the line does not begin with an id and a blank";
  const id = Number(digits);
  if (id === 0) return "id 0 is reserved for the end of a document";
  if (id > token_id_max) return `id ${id} is above ${token_id_max}`;
  return id;
}

/** The literal itself may hold blanks: it stands between the first and the last one. */
function readToken(line: string, out: Uint8Array): number | string {
  const first = line.indexOf(" ");
  const last = line.lastIndexOf(" ");
  if (last === first) return "the line needs an id, a literal and a byte count";
  const count_text = line.slice(last + 1);
  if (!/^[0-9]{1,8}$/.test(count_text)) return "the line does not end with a byte count";
  const count = readLiteral(line.slice(first + 1, last), out);
  if (typeof count === "string") return count;
  if (count === 0) return "the token is empty";
  if (count !== Number(count_text)) {
    return `the token has ${count} bytes, the line says ${Number(count_text)}`;
  }
  return count;
}
