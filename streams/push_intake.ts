// What a publisher may send next, and whether what it sent is what it says: credits, order, sizes. Pure.
// Must not know decoders, sockets or clocks.
import { SourceError } from "./errors.ts";
import { jpegSize } from "./jpeg_size.ts";
import { source_limits } from "./limits.ts";
import type { PushCodec, PushMessage } from "./push_message.ts";

export type Checked =
  | PushMessage
  | { dropped: "not_running" | "no_credit" | "out_of_order" | "waiting_for_key" }
  | { error: SourceError };

/** The first bytes of every WebM recording: the EBML identifier. */
const webm_begin = [0x1a, 0x45, 0xdf, 0xa3];

/** A stream's pieces are small and a round trip may be long; pictures are large and only the newest counts. */
const stream_window_messages = 4 * source_limits.push_window_messages;

export class PushIntake {
  /** Messages that the publisher may send now. */
  credits = 0;
  #codec: PushCodec | undefined;
  #last_sequence: number | undefined;
  #needs_key = true;
  /** Bytes of a recording's beginning that have come: a browser's first piece may be a single byte. */
  #begin_bytes = 0;
  #open = false;
  #window: number = source_limits.push_window_messages;
  /** Credits given for a wider window than the present one. */
  #surplus = 0;
  /** Consumed, but not yet given back as credit because too many bytes wait. */
  #withheld = 0;

  constructor(readonly label: string, readonly onCredit: (messages: number) => void) {}

  /** Someone listens, for the first time or again: as many credits as belong to what is being sent. */
  open() {
    this.#open = true;
    this.#needs_key = true;
    this.#begin_bytes = 0;
    this.#withheld = 0;
    this.#grant(this.#window - this.credits);
  }

  /** Nobody listens for now. What still comes is dropped, and paid for from the credits that were given. */
  suspend() {
    this.#open = false;
  }

  #grant(messages: number) {
    if (messages <= 0) return;
    this.credits += messages;
    this.onCredit(messages);
  }

  /** A message that was taken needs no more room; `backlog_bytes` still wait for the decoder. */
  consumed(backlog_bytes: number) {
    if (!this.#open) return;
    this.#withheld++;
    if (backlog_bytes >= source_limits.push_backlog_bytes_max) return;
    const messages = this.#withheld;
    const kept = Math.min(this.#surplus, messages);
    this.#withheld = 0;
    this.#surplus -= kept;
    this.#grant(messages - kept);
  }

  check(message: PushMessage): Checked {
    const { codec, key_frame, sequence, payload } = message;
    if (payload.byteLength > source_limits.push_message_bytes_max) {
      return this.#fail("too_large", `a message is at most ${source_limits.push_message_bytes_max} bytes`);
    }
    if (!this.#open) {
      this.credits = Math.max(0, this.credits - 1);
      return { dropped: "not_running" };
    }
    if (codec !== this.#codec) this.#begin(codec);
    if (this.credits === 0) return this.#withoutCredit(codec);
    if (this.#stale(sequence)) return this.#refund("out_of_order");
    if (codec === "h264" && this.#needs_key && !key_frame) {
      return this.#refund("waiting_for_key");
    }
    const problem = this.#payloadProblem(codec, payload);
    if (problem) return this.#fail(problem.code, problem.reason);
    this.#last_sequence = sequence;
    if (codec === "webm") this.#begin_bytes += payload.byteLength;
    this.#needs_key = codec === "webm" && this.#begin_bytes < webm_begin.length;
    this.credits--;
    return message;
  }

  #fail(code: SourceError["code"], reason: string): { error: SourceError } {
    return { error: new SourceError(code, this.label, reason, { retry: "never" }) };
  }

  /** Dropped, but it was paid for: without the credit back a sender that waits for it would wait for ever. */
  #refund(dropped: "out_of_order" | "waiting_for_key"): Checked {
    this.onCredit(1);
    return { dropped };
  }

  /** True for a sequence at or before the newest, across the wrap at 2^32. */
  #stale(sequence: number): boolean {
    return this.#last_sequence !== undefined && ((sequence - this.#last_sequence) | 0) <= 0;
  }

  #begin(codec: PushCodec) {
    this.#codec = codec;
    this.#needs_key = true;
    this.#begin_bytes = 0;
    const before = this.#window;
    this.#window = codec === "jpeg" ? source_limits.push_window_messages : stream_window_messages;
    this.#grant(this.#window - before);
    // Back to a narrower window: what was granted beyond it is not granted again.
    this.#surplus = Math.max(0, before - this.#window);
  }

  #withoutCredit(codec: PushCodec): Checked {
    // A container with a hole in it cannot be read on; a stream of pictures goes on at the next key picture.
    if (codec === "webm") return this.#fail("limits", "a WebM message came without credit");
    this.#needs_key = true;
    return { dropped: "no_credit" };
  }

  #payloadProblem(
    codec: PushCodec,
    payload: Uint8Array,
  ): { code: SourceError["code"]; reason: string } | undefined {
    if (codec === "h264") return undefined;
    if (codec === "webm") {
      const left = this.#needs_key ? webm_begin.slice(this.#begin_bytes) : [];
      const begins = left.every((byte, index) => index >= payload.byteLength || payload[index] === byte);
      return !begins ? { code: "format", reason: "a WebM stream begins with its header" } : undefined;
    }
    if (payload.byteLength > source_limits.push_jpeg_bytes_max) {
      return { code: "too_large", reason: `a JPEG is at most ${source_limits.push_jpeg_bytes_max} bytes` };
    }
    const size = jpegSize(payload);
    if ("problem" in size) return { code: "format", reason: size.problem };
    const { width_px, height_px } = size;
    const side_max = source_limits.side_px_max;
    if (width_px > side_max || height_px > side_max || width_px * height_px > source_limits.pixels_max) {
      return { code: "too_large", reason: `a picture of ${width_px}x${height_px} pixels is too large` };
    }
    return undefined;
  }
}
