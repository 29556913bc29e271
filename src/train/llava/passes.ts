// Which example a draw takes when a run makes many passes. Upstream counts its list from the front in the first pass and
// from the end in all others, so that examples beyond the prime are seen from the second pass on; in a small set those that
// fall out of the reversed list would then never be seen again. Here passes take turns: the first two are upstream's.
import type { CubicOrder } from "../data_order.ts";

export function exampleOf({ prime, exampleAt }: CubicOrder, draw: number): number {
  const pass = Math.floor(draw / prime);
  return exampleAt(draw - (pass - pass % 2) * prime);
}
