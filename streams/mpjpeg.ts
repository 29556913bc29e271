// JPEGs in multipart framing with Content-Length: read from the decoder's preview, written to its input. Pure.
// Must not know sockets.
import { source_limits } from "./limits.ts";

const head_bytes_max = 1_024;

export class MultipartError extends Error {
  override readonly name = "MultipartError";
}

/** Bytes in, whole JPEGs out. Throws MultipartError when the framing is broken or a part is over its bound. */
export class MpjpegParts {
  #buffer = new Uint8Array(64 * 1024);
  #filled = 0;
  /** Length of the part being read, or undefined while its head is being read. */
  #part_bytes: number | undefined;

  constructor(readonly part_bytes_max: number = source_limits.preview_bytes_max) {}

  *push(chunk: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    this.#append(chunk);
    for (;;) {
      if (this.#part_bytes === undefined) {
        const head_end = this.#headEnd();
        if (head_end < 0) {
          if (this.#filled > head_bytes_max) throw new MultipartError("a part's head is too long");
          return;
        }
        this.#part_bytes = this.#readLength(head_end);
        this.#consume(head_end);
      }
      if (this.#filled < this.#part_bytes) return;
      const part = this.#buffer.slice(0, this.#part_bytes);
      this.#consume(this.#part_bytes);
      this.#part_bytes = undefined;
      yield part;
    }
  }

  #headEnd(): number {
    const bytes = this.#buffer;
    const last = Math.min(this.#filled, head_bytes_max + 4);
    // A head follows the CRLF that ended the part before it, so an empty line only counts behind some text.
    let text_seen = false;
    for (let i = 0; i + 3 < last; i++) {
      if (bytes[i] !== 13 && bytes[i] !== 10) text_seen = true;
      if (text_seen && bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) {
        return i + 4;
      }
    }
    return -1;
  }

  #readLength(head_end: number): number {
    const head = new TextDecoder("latin1").decode(this.#buffer.subarray(0, head_end));
    const length = /^content-length:[ \t]*(\d{1,9})[ \t]*\r$/im.exec(head)?.[1];
    if (length === undefined) throw new MultipartError("a part has no Content-Length");
    if (Number(length) > this.part_bytes_max) throw new MultipartError("a part is too long");
    return Number(length);
  }

  #append(chunk: Uint8Array) {
    const needed = this.#filled + chunk.byteLength;
    if (needed > this.#buffer.byteLength) {
      const grown = new Uint8Array(Math.max(needed, this.#buffer.byteLength * 2));
      grown.set(this.#buffer.subarray(0, this.#filled));
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#filled);
    this.#filled = needed;
  }

  #consume(count: number) {
    this.#buffer.copyWithin(0, count, this.#filled);
    this.#filled -= count;
  }
}

const encoder = new TextEncoder();

/** One JPEG as a part. The length lets the reader hand it on without waiting for the next one. */
export function mpjpegPart(jpeg: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = encoder.encode(
    `--gander\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.byteLength}\r\n\r\n`,
  );
  const part = new Uint8Array(head.byteLength + jpeg.byteLength + 2);
  part.set(head);
  part.set(jpeg, head.byteLength);
  part.set([13, 10], head.byteLength + jpeg.byteLength);
  return part;
}
