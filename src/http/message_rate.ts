// How often one client may speak: a bucket that refills. Must not know messages.
import type { Clock } from "../clock.ts";

export interface Rate {
  per_s: number;
  /** At once, after a pause. */
  burst: number;
}

/** A page that comes back subscribes to all its streams at once. */
export const viewer_rate: Rate = { per_s: 20, burst: 40 };
/** A camera sends 60 pictures a second at most; after a stall of the network a few seconds come at once. */
export const publisher_rate: Rate = { per_s: 120, burst: 360 };

export class MessageRate {
  readonly #clock: Clock;
  readonly #rate: Rate;
  #left: number;
  #at_ms: number;

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#left = rate.burst;
    this.#at_ms = clock.monotonic_ms();
  }

  /** False when this one is too many. */
  take(): boolean {
    const now_ms = this.#clock.monotonic_ms();
    const { per_s, burst } = this.#rate;
    this.#left = Math.min(burst, this.#left + (now_ms - this.#at_ms) * per_s / 1000);
    this.#at_ms = now_ms;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
