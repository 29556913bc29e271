// A stream of bytes becomes whole frames of a known size. Pure. Must not know where the bytes come from.

export class RawFrames {
  #partial: Uint8Array<ArrayBuffer>;
  #filled = 0;

  constructor(readonly frame_bytes: number) {
    if (!Number.isSafeInteger(frame_bytes) || frame_bytes <= 0) {
      throw new RangeError("frame_bytes must be positive");
    }
    this.#partial = new Uint8Array(frame_bytes);
  }

  /** Bytes of the frame that is not whole yet. */
  get pending_bytes(): number {
    return this.#filled;
  }

  /** The frames that `chunk` completes. Each is a fresh buffer of its own, and the only allocation it costs. */
  *push(chunk: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    let offset = 0;
    while (offset < chunk.byteLength) {
      const taken = Math.min(this.frame_bytes - this.#filled, chunk.byteLength - offset);
      this.#partial.set(chunk.subarray(offset, offset + taken), this.#filled);
      this.#filled += taken;
      offset += taken;
      if (this.#filled < this.frame_bytes) return;
      const whole = this.#partial;
      this.#partial = new Uint8Array(this.frame_bytes);
      this.#filled = 0;
      yield whole;
    }
  }
}
