// The objects of a JSON list or of a file with one object a line, one after the other with their places, read in pieces:
// no more than one object is in memory. Must not know what is in them.
import { DataError } from "./errors.ts";
import { data_limits } from "./limits.ts";

export interface JsonElement {
  /** Byte offset in the file. */
  offset: number;
  length: number;
  /** 1 for the first. */
  line: number;
  /** 1 for the first. */
  number: number;
  /** Undefined when it is longer than allowed. */
  bytes: Uint8Array | undefined;
}

export type ListKind = "list" | "lines";

/** By the suffix: .jsonl has one object a line, everything else is a JSON list. */
export function listKind(path: string): ListKind {
  return /\.(jsonl|ndjson)$/i.test(path) ? "lines" : "list";
}

const byte = {
  tab: 9,
  newline: 10,
  carriage: 13,
  blank: 32,
  quote: 34,
  comma: 44,
  bracket_open: 91,
  backslash: 92,
  bracket_close: 93,
  brace_open: 123,
  brace_close: 125,
} as const;

/** Throws DataError when the file cannot be read or is no list. */
export async function* readElements(path: string): AsyncGenerator<JsonElement> {
  using file = await Deno.open(path, { read: true }).catch((cause: Error) => {
    const why = cause instanceof Deno.errors.NotFound ? "not found" : cause.message;
    throw new DataError("data_unreadable", `Cannot read "${path}": ${why}`, { cause });
  });
  const scanner = listKind(path) === "list" ? new ListScanner(path) : new LineScanner();
  const piece = new Uint8Array(data_limits.piece_bytes);
  for (;;) {
    const count = await file.read(piece);
    if (count === null) break;
    yield* scanner.scan(piece.subarray(0, count));
  }
  yield* scanner.end();
}

/** Collects the bytes of the element under way across pieces. */
class Collector {
  /** Bytes of the pieces before. */
  position = 0;
  line = 1;
  #number = 0;
  #offset = 0;
  #line = 0;
  #parts: Uint8Array[] = [];
  #collected = 0;

  begin(at: number): void {
    this.#offset = this.position + at;
    this.#line = this.line;
    this.#parts = [];
    this.#collected = 0;
  }

  /** Copies, because the piece is read into again. */
  take(part: Uint8Array): void {
    this.#collected += part.length;
    if (this.#collected <= data_limits.row_bytes_max) this.#parts.push(part.slice());
    else this.#parts = [];
  }

  /** The element that was finished last was none. */
  uncount(): void {
    this.#number--;
  }

  finish(): JsonElement {
    const length = this.#collected;
    let bytes: Uint8Array | undefined;
    if (length <= data_limits.row_bytes_max) {
      bytes = new Uint8Array(length);
      let end = 0;
      for (const part of this.#parts) {
        bytes.set(part, end);
        end += part.length;
      }
    }
    this.#parts = [];
    return { offset: this.#offset, length, line: this.#line, number: ++this.#number, bytes };
  }
}

/** A JSON list: strings and brackets are followed, and nothing else: whether an element is JSON, its reader finds out. */
class ListScanner {
  readonly #elements = new Collector();
  #state: "before" | "first" | "value" | "inside" | "over" = "before";
  #depth = 0;
  #in_string = false;
  #escaped = false;

  constructor(readonly path: string) {}

  *scan(piece: Uint8Array): Generator<JsonElement> {
    const elements = this.#elements;
    let start = 0;
    for (let i = 0; i < piece.length; i++) {
      const c = piece[i]!;
      if (this.#state === "inside") {
        if (this.#in_string) {
          if (this.#escaped) this.#escaped = false;
          else if (c === byte.backslash) this.#escaped = true;
          else if (c === byte.quote) this.#in_string = false;
        } else if (c === byte.quote) this.#in_string = true;
        else if (c === byte.brace_open || c === byte.bracket_open) this.#depth++;
        else if (this.#depth > 0 && (c === byte.brace_close || c === byte.bracket_close)) this.#depth--;
        else if (this.#depth === 0 && (c === byte.comma || c === byte.bracket_close)) {
          elements.take(piece.subarray(start, i));
          yield elements.finish();
          this.#state = c === byte.comma ? "value" : "over";
        }
      } else if (!isBlank(c)) {
        const begun = this.#outside(c, elements.position + i === 0);
        if (begun) {
          elements.begin(i);
          start = i;
          this.#in_string = c === byte.quote;
          this.#escaped = false;
          this.#depth = c === byte.brace_open || c === byte.bracket_open ? 1 : 0;
        }
      }
      if (c === byte.newline) elements.line++;
    }
    if (this.#state === "inside") elements.take(piece.subarray(start));
    elements.position += piece.length;
  }

  /** Whether an element begins with `c`. */
  #outside(c: number, first_byte: boolean): boolean {
    switch (this.#state) {
      case "before":
        // A byte order mark: EF BB BF.
        if (first_byte && c === 0xef || c === 0xbb || c === 0xbf) return false;
        if (c !== byte.bracket_open) {
          return this.#refuse("it does not begin with [; a file of lines is a .jsonl");
        }
        this.#state = "first";
        return false;
      case "first":
      case "value":
        if (c === byte.bracket_close && this.#state === "first") {
          this.#state = "over";
          return false;
        }
        if (c === byte.comma || c === byte.bracket_close) return this.#refuse("an element is missing");
        this.#state = "inside";
        return true;
      default:
        return this.#refuse("there is something behind the list");
    }
  }

  end(): JsonElement[] {
    if (this.#state !== "over") this.#refuse("the list does not end: the file is cut short");
    return [];
  }

  #refuse(reason: string): never {
    throw new DataError("data_invalid", `Cannot read "${this.path}": line ${this.#elements.line}: ${reason}`);
  }
}

function isBlank(c: number): boolean {
  return c === byte.blank || c === byte.newline || c === byte.carriage || c === byte.tab;
}

class LineScanner {
  readonly #elements = new Collector();
  #inside = false;

  *scan(piece: Uint8Array): Generator<JsonElement> {
    const elements = this.#elements;
    let at = 0;
    while (at < piece.length) {
      if (!this.#inside) {
        elements.begin(at);
        this.#inside = true;
      }
      const newline = piece.indexOf(byte.newline, at);
      const end = newline < 0 ? piece.length : newline;
      elements.take(piece.subarray(at, end));
      if (newline < 0) break;
      yield* this.#finish();
      elements.line++;
      at = newline + 1;
    }
    elements.position += piece.length;
  }

  *end(): Generator<JsonElement> {
    if (this.#inside) yield* this.#finish();
  }

  /** Lines of blanks are no objects. */
  *#finish(): Generator<JsonElement> {
    this.#inside = false;
    const element = this.#elements.finish();
    if (element.bytes === undefined || element.bytes.some((c) => !isBlank(c))) yield element;
    else this.#elements.uncount();
  }
}
