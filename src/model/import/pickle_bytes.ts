// The operands of pickle opcodes, read one after the other. Must not know what they are for.
import { import_limits } from "./limits.ts";
import { PickleDamaged, PickleRefused } from "./pickle_values.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Every read throws PickleDamaged beyond the end. */
export class PickleBytes {
  at = 0;
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array<ArrayBuffer>) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** Moves on, and answers where it was. */
  #take(byte_count: number): number {
    if (byte_count > this.left) throw new PickleDamaged("its pickle is cut short");
    this.at += byte_count;
    return this.at - byte_count;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** A whole number of `byte_count` bytes, little-endian, two's complement. */
  long(byte_count: number): number {
    if (byte_count > 8) throw new PickleRefused(`its pickle has a whole number of ${byte_count} bytes`);
    const at = this.#take(byte_count);
    let value = 0n;
    for (let i = byte_count - 1; i >= 0; i--) value = value << 8n | BigInt(this.bytes[at + i]!);
    const number = Number(BigInt.asIntN(8 * byte_count, value));
    if (!Number.isSafeInteger(number)) throw new PickleRefused("its pickle has a whole number beyond 2^53");
    return number;
  }

  text(byte_count: number): string {
    if (byte_count > this.left) throw new PickleDamaged("its pickle is cut short");
    if (byte_count > import_limits.pickle_text_bytes_max) {
      throw new PickleRefused(`its pickle has a text of ${byte_count} bytes`);
    }
    const at = this.#take(byte_count);
    return decode(this.bytes.subarray(at, at + byte_count));
  }

  /** Up to the next line feed, which is left out. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleDamaged("its pickle is cut short");
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new PickleDamaged("its pickle has a text that is none");
  }
}
