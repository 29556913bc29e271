// How sure a score is: an interval by drawing the scenes anew, again and again. Must not know what is scored.
import { Dice } from "../world/dice.ts";
import { eval_limits } from "./limits.ts";

export interface Interval {
  low: number;
  high: number;
}

/**
 * `statistic` of the scenes drawn with replacement, many times; where the middle share of the results lies. The same
 * scenes give the same interval. Undefined below two scenes, or when the statistic has no value.
 */
export function bootstrap<T>(
  scenes: readonly T[],
  statistic: (some: readonly T[]) => number | null,
): Interval | undefined {
  if (scenes.length < 2) return undefined;
  const dice = new Dice(1, "bootstrap");
  const values: number[] = [];
  for (let round = 0; round < eval_limits.resamples; round++) {
    const value = statistic(scenes.map(() => dice.pick(scenes)));
    if (value !== null) values.push(value);
  }
  if (values.length === 0) return undefined;
  values.sort((a, b) => a - b);
  const at = (share: number) => values[Math.round(share * (values.length - 1))]!;
  const outside = (1 - eval_limits.interval) / 2;
  return { low: at(outside), high: at(1 - outside) };
}
