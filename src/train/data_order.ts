// In which order examples are seen: cubes modulo a prime (spec 6.8), which visit everything below the prime once a pass
// without a list of what was seen. Must not know what an example is.
import { TrainError } from "./errors.ts";
import { train_limits } from "./limits.ts";

export interface CubicOrder {
  /** Examples of one pass; those between it and the count are not seen in the first pass. */
  prime: number;
  /** The example of the g-th draw, g = 0, 1, … After the first pass the list counts from its end. */
  exampleAt(draw: number): number;
}

/** For `count` examples. Throws TrainError when there are none or too many. */
export function cubicOrder(count: number): CubicOrder {
  if (!Number.isInteger(count) || count < 1 || count > train_limits.examples_max) {
    throw new TrainError("train_invalid", `Cannot order ${count} examples`);
  }
  const prime = cubicPrime(count);
  // Too few for a prime: one after the other.
  if (prime === undefined) return { prime: count, exampleAt: (draw) => draw % count };
  return {
    prime,
    exampleAt: (draw) => {
      const rest = draw % prime;
      const index = (rest * rest % prime) * rest % prime;
      return draw < prime ? index : count - 1 - index;
    },
  };
}

/** The largest prime below `count` of the form 3n + 2: there cubing is a permutation. Undefined below 3. */
export function cubicPrime(count: number): number | undefined {
  for (let candidate = count - 1; candidate >= 2; candidate--) {
    if (candidate % 3 === 2 && isPrime(candidate)) return candidate;
  }
  return undefined;
}

function isPrime(value: number): boolean {
  for (let divisor = 2; divisor * divisor <= value; divisor++) if (value % divisor === 0) return false;
  return value > 1;
}

/**
 * Draws of one micro-step: `micro_bsz` of them, where the run begins `begin` micro-steps late (epoch_begin · epoch_steps).
 */
export function drawsOf(micro_step: number, micro_bsz: number, begin = 0): number[] {
  return Array.from({ length: micro_bsz }, (_, row) => (begin + micro_step) * micro_bsz + row);
}
