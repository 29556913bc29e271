// Features of several encoders side by side, and those of five views (UHD): the whole picture and its four quarters,
// whose grids become one of the whole's size. Must not know encoders.
import type { Value } from "./graph.ts";
import type { TowerGraph } from "./tower_graph.ts";

/** One encoder's, per view: [N views, grid², width]. */
export interface ViewFeatures {
  patches: Value;
  width: number;
}

/** Whole pictures only. */
export function joinFeatures(tower: TowerGraph, parts: readonly ViewFeatures[]): ViewFeatures {
  if (parts.length === 1) return parts[0];
  const patches = tower.graph.node("Concat", "features", parts.map((part) => part.patches), { axis: -1 });
  return { patches, width: parts.reduce((sum, part) => sum + part.width, 0) };
}

/** [N 5, grid², …] → [N, grid², [whole of each encoder, quarters of each encoder]]. */
export function joinFiveViews(
  tower: TowerGraph,
  parts: readonly ViewFeatures[],
  grid: number,
): ViewFeatures {
  if (grid % 2 !== 0) {
    throw new RangeError(`A grid of ${grid} x ${grid} cannot be put together of four halves`);
  }
  const wholes: ViewFeatures[] = [], quarters: ViewFeatures[] = [];
  for (const [index, { patches, width }] of parts.entries()) {
    const name = `encoder_${index}.`;
    const views = tower.graph.node("Reshape", `${name}views`, [
      patches,
      tower.integers(-1, 5, grid * grid, width),
    ]);
    const whole = tower.graph.node("Slice", `${name}whole`, [views, ...range(tower, 0, 1)]);
    wholes.push({
      patches: tower.graph.node("Reshape", `${name}whole_flat`, [
        whole,
        tower.integers(0, grid * grid, width),
      ]),
      width,
    });
    quarters.push({ patches: stitch(tower, name, views, grid, width), width });
  }
  return joinFeatures(tower, [...wholes, ...quarters]);
}

/** Views 1 to 4 (top-left, top-right, bottom-left, bottom-right), averaged 2 x 2, in their places: [N, grid², width]. */
function stitch(tower: TowerGraph, name: string, views: Value, grid: number, width: number): Value {
  const { graph } = tower;
  const half = grid / 2;
  const four = graph.node("Slice", `${name}quarters`, [views, ...range(tower, 1, 5)]);
  const pairs = graph.node("Reshape", `${name}pairs`, [four, tower.integers(-1, half, 2, half, 2, width)]);
  const halved = graph.node("ReduceMean", `${name}halved`, [pairs], { axes: [2, 4], keepdims: 0 });
  const apart = graph.node("Reshape", `${name}apart`, [
    halved,
    tower.integers(-1, 2, 2, half, half, width),
  ]);
  const placed = graph.node("Transpose", `${name}placed`, [apart], { perm: [0, 1, 3, 2, 4, 5] });
  return graph.node("Reshape", `${name}stitched`, [placed, tower.integers(-1, grid * grid, width)]);
}

/** Inputs of a Slice of axis 1. */
function range(tower: TowerGraph, from: number, to: number): Value[] {
  return [tower.integers(from), tower.integers(to), tower.integers(1)];
}
