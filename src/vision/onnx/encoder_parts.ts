// What all encoders have in common: what they give, how their heads and blocks are counted. Must not know the rest of
// a tower.
import type { Value } from "./graph.ts";
import type { PatchGrid, PictureInputs } from "./picture_input.ts";
import type { TowerGraph } from "./tower_graph.ts";

/** Of one encoder, per picture. */
export interface Features {
  /** [N, grid * grid, width], row by row. */
  patches: Value;
  width: number;
  /** [N, 1, width]. */
  class_token?: Value;
}

/** An encoder whose tensors have been found; `write` puts its nodes into the graph. */
export interface PreparedEncoder extends PatchGrid {
  /** Side of the grid of features: smaller than the patches' for SAM. */
  feature_grid: number;
  has_class_token: boolean;
  /** `views`: pictures per frame, which share the memory that scores may take. */
  write(inputs: PictureInputs, views: number): Features;
}

/** What one head is wide where it is not 64: SigLIP so400m, CLIP ViT-H and ViT-bigG. */
const odd_head_widths: Record<number, number> = { 1152: 72, 1280: 80, 1664: 104 };

/** No shape tells the number of heads; by default it is that of the released encoder of this width. */
export function headsOf(
  prefix: string,
  width: number,
  given: number | undefined,
  head_width = odd_head_widths[width] ?? 64,
): number {
  const heads = given ?? width / head_width;
  if (!Number.isInteger(heads) || heads < 1 || width % heads !== 0) {
    throw new RangeError(`Width ${width} of "${prefix}" does not divide into ${heads} heads`);
  }
  return heads;
}

/** How many blocks run, of those the checkpoint has: as long as `nameOf(n)` exists. */
export function countBlocks(tower: TowerGraph, nameOf: (index: number) => string, skipped: number): number {
  let count = 0;
  while (tower.has(nameOf(count))) count++;
  if (count === 0) throw new RangeError(`The tower needs the tensor "${nameOf(0)}"`);
  if (!Number.isInteger(skipped) || skipped < 0 || skipped >= count) {
    throw new RangeError(`Of ${count} blocks (${nameOf(0)} …) ${skipped} cannot be left out`);
  }
  return count - skipped;
}

/** Tokens `from` to `to` of [N, T, width]. */
export function sliceTokens(tower: TowerGraph, name: string, x: Value, from: number, to: number): Value {
  const [start, end, axis] = [from, to, 1].map((value) => tower.integers(value));
  return tower.graph.node("Slice", name, [x, start, end, axis]);
}
