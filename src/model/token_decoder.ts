// Bytes in pieces become text in pieces: a code point that is not whole yet waits. Must not know vocabularies.

/**
 * Length of the tail of `bytes` that may still become a code point: 0 to 3. A tail that can never become valid
 * is not held back; it turns into U+FFFD at once, exactly as in a decode of the whole.
 */
export function unfinishedTail(bytes: Uint8Array): number {
  for (let count = 1; count <= 3 && count <= bytes.length; count++) {
    const byte = bytes[bytes.length - count];
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue; // a continuation byte: the lead is further left
    const second = count > 1 ? bytes[bytes.length - count + 1] : undefined;
    return sequenceLength(byte) > count && secondFits(byte, second) ? count : 0;
  }
  return 0;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

/** Over-long forms, surrogates and values past U+10FFFF show in the second byte. */
function secondFits(lead: number, second: number | undefined): boolean {
  if (second === undefined) return true;
  if (lead === 0xe0) return second >= 0xa0;
  if (lead === 0xed) return second <= 0x9f;
  if (lead === 0xf0) return second >= 0x90;
  if (lead === 0xf4) return second <= 0x8f;
  return true;
}

const nothing = new Uint8Array(0);

/** One utterance. `bytesOf` answers no bytes for ids without text (end of document, silence). */
export class StreamDecoder {
  readonly #bytesOf: (token: number) => Uint8Array;
  // A byte order mark is text like any other here; the default would swallow it at the start of every piece.
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #held: Uint8Array = nothing;

  constructor(bytesOf: (token: number) => Uint8Array) {
    this.#bytesOf = bytesOf;
  }

  /** Text that is certain now; may be empty. */
  push(token: number): string {
    return this.pushBytes(this.#bytesOf(token));
  }

  pushBytes(fresh: Uint8Array): string {
    const bytes = new Uint8Array(this.#held.length + fresh.length);
    bytes.set(this.#held);
    bytes.set(fresh, this.#held.length);
    const certain = bytes.length - unfinishedTail(bytes);
    this.#held = bytes.subarray(certain);
    return this.#utf8.decode(bytes.subarray(0, certain));
  }

  /** What is left: U+FFFD when a code point was not finished. The decoder is as new afterwards. */
  end(): string {
    const rest = this.#utf8.decode(this.#held);
    this.#held = nothing;
    return rest;
  }
}
