// The only backoff. Pure: time and chance are handed in. Must not know what is being retried.

export interface RetryBounds {
  first_ms: number;
  max_ms: number;
}

/** Exponential backoff with full jitter: many cameras behind one switch do not come back in one moment. */
export class Backoff {
  #failures = 0;

  constructor(readonly bounds: RetryBounds, readonly random: () => number = Math.random) {}

  /** Failures since the last reset. */
  get failures(): number {
    return this.#failures;
  }

  /** The next wait: drawn from zero to `first_ms` doubled with every failure, `max_ms` at most. */
  next_ms(): number {
    const ceiling_ms = Math.min(this.bounds.max_ms, this.bounds.first_ms * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return Math.round(this.random() * ceiling_ms);
  }

  reset() {
    this.#failures = 0;
  }
}
