// Reads the header of a GGUF file front to back through a window, so that long arrays can be skipped without being
// read. Must not know keys or tensors.
import type { ByteSource } from "./byte_source.ts";
import { importError } from "./import_error.ts";
import { import_limits } from "./limits.ts";

const window_bytes = 1 << 16;
const utf8 = new TextDecoder("utf-8");

/** Every read rejects with ImportError beyond the end of the file or of the bound on headers. */
export class GgufCursor {
  #window = new DataView(new ArrayBuffer(0));
  #window_start = 0;

  constructor(readonly source: ByteSource, public at: number) {}

  /** Takes `byte_count` bytes, at most a window full; the offset of the first in `#window`. */
  async #take(byte_count: number): Promise<number> {
    const inside = this.at - this.#window_start;
    if (inside < 0 || inside + byte_count > this.#window.byteLength) {
      const left = this.source.size - this.at;
      if (byte_count > left) {
        throw importError("import_damaged", this.source.path, "it ends inside its header");
      }
      this.#window = new DataView(
        (await this.source.read(this.at, Math.min(Math.max(byte_count, window_bytes), left))).buffer,
      );
      this.#window_start = this.at;
    }
    const offset = this.at - this.#window_start;
    this.skip(byte_count);
    return offset;
  }

  skip(byte_count: number): void {
    this.at += byte_count;
    if (!(this.at <= this.source.size)) {
      throw importError("import_damaged", this.source.path, "it ends inside its header");
    }
    if (this.at > import_limits.gguf_header_bytes_max) {
      const { gguf_header_bytes_max } = import_limits;
      throw importError(
        "import_refused",
        this.source.path,
        `its header is longer than ${gguf_header_bytes_max} bytes`,
      );
    }
  }

  async u32(): Promise<number> {
    const at = await this.#take(4);
    return this.#window.getUint32(at, true);
  }

  async u64(): Promise<bigint> {
    const at = await this.#take(8);
    return this.#window.getBigUint64(at, true);
  }

  /** A number that counts or places something; larger ones than 2^53 come out inexact, which no check lets pass. */
  async count(): Promise<number> {
    return Number(await this.u64());
  }

  /** A scalar of a GGUF value type; whole numbers beyond 2^53 as bigint. */
  async scalar(type: ScalarType): Promise<number | bigint | boolean> {
    const at = await this.#take(scalar_bytes[type]);
    const view = this.#window;
    switch (type) {
      case "u8":
        return view.getUint8(at);
      case "i8":
        return view.getInt8(at);
      case "u16":
        return view.getUint16(at, true);
      case "i16":
        return view.getInt16(at, true);
      case "u32":
        return view.getUint32(at, true);
      case "i32":
        return view.getInt32(at, true);
      case "f32":
        return view.getFloat32(at, true);
      case "f64":
        return view.getFloat64(at, true);
      case "bool":
        return view.getUint8(at) !== 0;
      case "u64":
        return narrow(view.getBigUint64(at, true));
      case "i64":
        return narrow(view.getBigInt64(at, true));
    }
  }

  /** Length and bytes of a text; bytes that are no UTF-8 (a token may be any bytes) become U+FFFD. */
  async text(): Promise<string> {
    const byte_count = await this.#textBytes();
    const at = await this.#take(byte_count);
    return utf8.decode(new Uint8Array(this.#window.buffer, this.#window.byteOffset + at, byte_count));
  }

  async skipText(): Promise<void> {
    this.skip(await this.#textBytes());
  }

  async #textBytes(): Promise<number> {
    const byte_count = await this.count();
    if (byte_count > import_limits.gguf_text_bytes_max) {
      throw importError("import_refused", this.source.path, `its header has a text of ${byte_count} bytes`);
    }
    return byte_count;
  }
}

export type ScalarType = "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "u64" | "i64" | "f32" | "f64" | "bool";

export const scalar_bytes: Readonly<Record<ScalarType, number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f32: 4,
  f64: 8,
  bool: 1,
};

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
