// The server's half of an RTSP connection, cut at its seams: responses and interleaved packets. Pure. It exists to
// see one thing before the decoder does: a redirect. Must not know sockets.

const head_bytes_max = 16 * 1024;
const dollar = 0x24;

export interface RtspSeam {
  /** Bytes that may go on to the decoder. */
  forward: Uint8Array[];
  /** Status codes of responses that began in this chunk. */
  statuses: number[];
}

export class RtspResponses {
  #held = new Uint8Array(0);
  /** Bytes of a body or a packet that pass without a look. */
  #passing_bytes = 0;

  /** Everything up to the first redirect; what follows a redirect is kept back for ever. */
  push(chunk: Uint8Array): RtspSeam {
    const seam: RtspSeam = { forward: [], statuses: [] };
    let bytes = chunk;
    if (this.#held.byteLength > 0) {
      bytes = new Uint8Array(this.#held.byteLength + chunk.byteLength);
      bytes.set(this.#held);
      bytes.set(chunk, this.#held.byteLength);
      this.#held = new Uint8Array(0);
    }
    while (bytes.byteLength > 0) {
      const length = this.#passing_bytes > 0 ? this.#pass(bytes) : this.#unit(bytes, seam);
      if (length === 0) {
        this.#held = bytes.slice();
        break;
      }
      if (seam.statuses.some((status) => status >= 300 && status < 400)) break;
      seam.forward.push(bytes.subarray(0, length));
      bytes = bytes.subarray(length);
    }
    return seam;
  }

  #pass(bytes: Uint8Array): number {
    const length = Math.min(this.#passing_bytes, bytes.byteLength);
    this.#passing_bytes -= length;
    return length;
  }

  /** Length of the next unit's head; 0 when more bytes are needed to know it. */
  #unit(bytes: Uint8Array, seam: RtspSeam): number {
    if (bytes[0] === dollar) {
      if (bytes.byteLength < 4) return 0;
      this.#passing_bytes = bytes[2] << 8 | bytes[3];
      return 4;
    }
    const letter = bytes[0] >= 0x41 && bytes[0] <= 0x5a;
    // Some cameras put stray bytes between packets. The decoder skips them too.
    if (!letter) return 1;
    const text = new TextDecoder("latin1").decode(bytes.subarray(0, head_bytes_max));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return bytes.byteLength < head_bytes_max ? 0 : 1;
    const head = text.slice(0, end + 2);
    const status = /^RTSP\/\d\.\d (\d{3})/.exec(head)?.[1];
    if (status !== undefined) seam.statuses.push(Number(status));
    this.#passing_bytes = Number(/^content-length:[ \t]*(\d{1,9})/im.exec(head)?.[1] ?? 0);
    return end + 4;
  }
}
