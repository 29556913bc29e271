// How often one client may speak: a bucket that refills. Must not know messages.
import type { Clock } from "../clock.ts";

const messages_per_s = 20;
/** A page that comes back subscribes to all its streams at once. */
const burst_messages = 40;

export class MessageRate {
  readonly #clock: Clock;
  #left = burst_messages;
  #at_ms: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at_ms = clock.monotonic_ms();
  }

  /** False when this one is too many. */
  take(): boolean {
    const now_ms = this.#clock.monotonic_ms();
    this.#left = Math.min(burst_messages, this.#left + (now_ms - this.#at_ms) * messages_per_s / 1000);
    this.#at_ms = now_ms;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
