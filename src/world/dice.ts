// Chance with a memory: one stream of random numbers and the ways it is asked. Must not know what it decides.
import { randomStream } from "../random.ts";

export class Dice {
  readonly #next: () => number;

  constructor(seed: number, name: string) {
    this.#next = randomStream(seed, name);
  }

  /** Uniform in [0, 1). */
  share(): number {
    return (this.#next() + 1) / 2;
  }

  real(from: number, to: number): number {
    return from + (to - from) * this.share();
  }

  /** A whole number, both ends included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.share() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.share() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("Cannot pick from nothing");
    return items[Math.floor(this.share() * items.length)]!;
  }

  /** At least `least`, then exponential: `mean` on average. */
  gap(mean: number, least: number): number {
    return least - (mean - least) * Math.log(1 - this.share());
  }

  seed(): number {
    return Math.floor(this.share() * 2 ** 31);
  }
}
