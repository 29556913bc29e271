// Reads one Python string or bytes literal into bytes. Strict: what Python's repr() never writes is refused.
// Must not know vocabularies.

const encoder = new TextEncoder();

/** Escapes of one letter, the same in both kinds of literal. */
const simple: Record<string, number> = {
  "\\": 0x5c,
  "'": 0x27,
  '"': 0x22,
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
};

/** Hex digits behind the letter. `\u` and `\U` exist only in string literals. */
const hex_digits: Record<string, number> = { x: 2, u: 4, U: 8 };

/**
 * Writes the bytes of `literal` (UTF-8 for '…' and "…", raw for b'…' and b"…") at the start of `out`, which must
 * have room for as many bytes as the literal has in UTF-8. Answers the byte count, or a sentence about what is
 * wrong.
 */
export function readLiteral(literal: string, out: Uint8Array): number | string {
  const raw = literal.charCodeAt(0) === 0x62; // b
  const open_index = raw ? 1 : 0;
  const quote = literal[open_index];
  const close_index = literal.length - 1;
  if ((quote !== "'" && quote !== '"') || close_index <= open_index || literal[close_index] !== quote) {
    return "the token is not a quoted Python literal";
  }
  const body = literal.slice(open_index + 1, close_index);
  if (raw && !isAscii(body)) return "a bytes literal holds a character above 0x7f";
  if (!body.includes("\\")) {
    if (body.includes(quote)) return "the token has an unescaped quote inside";
    return encoder.encodeInto(body, out).written;
  }
  return readEscaped(body, quote, raw, out);
}

function readEscaped(body: string, quote: string, raw: boolean, out: Uint8Array): number | string {
  let written = 0;
  let index = 0;
  while (index < body.length) {
    if (body[index] === quote) return "the token has an unescaped quote inside";
    if (body[index] !== "\\") {
      const next = nextSpecial(body, quote, index);
      written += encoder.encodeInto(body.slice(index, next), out.subarray(written)).written;
      index = next;
      continue;
    }
    const letter = body[index + 1];
    if (letter === undefined) return "the token ends inside an escape";
    if (Object.hasOwn(simple, letter)) {
      out[written++] = simple[letter];
      index += 2;
      continue;
    }
    const digits = Object.hasOwn(hex_digits, letter) ? hex_digits[letter] : 0;
    if (digits === 0 || (raw && letter !== "x")) return `the escape \\${letter} is not allowed here`;
    const hex = body.slice(index + 2, index + 2 + digits);
    if (hex.length !== digits || !/^[0-9a-fA-F]+$/.test(hex)) return `\\${letter} needs ${digits} hex digits`;
    const value = parseInt(hex, 16);
    index += 2 + digits;
    if (raw) {
      out[written++] = value;
      continue;
    }
    if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
      return `\\${letter}${hex} is not a character`;
    }
    written += encoder.encodeInto(String.fromCodePoint(value), out.subarray(written)).written;
  }
  return written;
}

function nextSpecial(body: string, quote: string, from: number): number {
  let index = from;
  while (index < body.length && body[index] !== "\\" && body[index] !== quote) index++;
  return index;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}
