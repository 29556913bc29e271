// Fewer vectors of a grid of patches, by averaging before the projector. Must not know encoders.
import type { Value } from "./graph.ts";
import { span } from "./pooling.ts";
import type { TowerGraph } from "./tower_graph.ts";
import type { Pooling } from "./tower_plan.ts";

/** From which row to which (exclusive) each cell reaches; columns likewise. Empty: no cells. */
export type Spans = readonly (readonly [number, number])[];

/** The cells along one side of a grid. Throws RangeError for a pooling that such a grid does not have. */
export function poolingSpans(pooling: Pooling, grid: number): Spans {
  switch (pooling.kind) {
    case "all":
      return evenSpans(grid, 1, grid);
    case "adaptive": {
      const side = Math.sqrt(pooling.vectors);
      if (!Number.isInteger(side) || side < 1 || side > grid) {
        throw new RangeError(
          `${pooling.vectors} vectors per picture must be a square number of 1 to ${grid * grid}`,
        );
      }
      return Array.from({ length: side }, (_, cell) => span(cell, grid, side));
    }
    case "grid": {
      const { grid_size } = pooling;
      if (!Number.isInteger(grid_size) || grid_size < -1 || grid_size > grid) {
        throw new RangeError(`A grid size of ${grid_size} is not one of -1, 0, 1 to ${grid}`);
      }
      if (grid_size === 0) return [];
      if (grid_size === 1) return [[0, grid]];
      const kernel = grid_size === -1 ? 1 : Math.floor(grid / grid_size);
      // As a convolution does it: what does not fill a kernel is left out.
      return evenSpans(Math.floor(grid / kernel), kernel, grid);
    }
  }
}

function evenSpans(cells: number, kernel: number, grid: number): Spans {
  return Array.from(
    { length: Math.min(cells, grid) },
    (_, cell) => [cell * kernel, (cell + 1) * kernel] as const,
  );
}

/** [cells², grid²]: each row the mean of one cell. */
export function averagingMatrix(spans: Spans, grid: number): Float32Array {
  const matrix = new Float32Array(spans.length ** 2 * grid ** 2);
  let row = 0;
  for (const [top, bottom] of spans) {
    for (const [left, right] of spans) {
      const share = 1 / ((bottom - top) * (right - left));
      for (let y = top; y < bottom; y++) {
        matrix.fill(share, (row * grid + y) * grid + left, (row * grid + y) * grid + right);
      }
      row++;
    }
  }
  return matrix;
}

/** [N, grid², width] → [N, cells², width]; undefined when there are no cells. */
export function poolTokens(tower: TowerGraph, patches: Value, spans: Spans, grid: number): Value | undefined {
  if (spans.length === 0) return undefined;
  if (spans.length === grid) return patches; // one patch per cell
  const matrix = tower.sharedFloats(
    "pooling",
    [spans.length ** 2, grid ** 2],
    () => averagingMatrix(spans, grid),
  );
  return tower.graph.node("MatMul", "pooled", [matrix, patches]);
}
