// The newest N numbers of a measure, for percentiles. Bounded; a percentile of nothing is null.

export class Samples {
  readonly #ring: Float64Array;
  #count = 0;

  constructor(capacity: number) {
    this.#ring = new Float64Array(capacity);
  }

  add(value: number): void {
    this.#ring[this.#count++ % this.#ring.length] = value;
  }

  /** Nearest-rank percentile, `fraction` in (0, 1]. */
  percentile(fraction: number): number | null {
    const size = Math.min(this.#count, this.#ring.length);
    if (size === 0) return null;
    const sorted = this.#ring.slice(0, size).sort();
    return sorted[Math.max(0, Math.ceil(fraction * size) - 1)]!;
  }
}
