// How often one client may speak: a bucket that refills. Must not know messages.
import type { Clock } from "../clock.ts";
import type { Rate } from "./limits.ts";

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
