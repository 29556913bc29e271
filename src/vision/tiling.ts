// How many tiles a picture becomes, and in which grid (spec 2.9). Pure numbers; must not know pixels.
import type { Size } from "./picture.ts";

export interface Tiling {
  /** waste: least area beside the picture when it keeps its shape (v7.02). closest: and nearest in area (v7.03). */
  criterion: "waste" | "closest";
  /** The picture is made smaller until it needs no more. */
  tiles_max: number;
  /** Always this many (v7.04); undefined or null: what the picture needs. */
  tiles_fixed?: number | null;
}

export interface Grid {
  columns: number;
  rows: number;
}

/**
 * The grid of tiles that a picture is stretched over. Candidates are the grid that covers the picture and those with
 * one column or one row less; the first of the best is taken, fewer columns before more. A picture that would need more
 * than `tiles_max` is judged as the largest smaller copy of itself that does not.
 */
export function chooseGrid(picture: Size, tile: Size, tiling: Tiling): Grid {
  const { criterion, tiles_max, tiles_fixed } = tiling;
  if (tiles_fixed != null) return bestGrid(gridsOf(tiles_fixed), picture, tile, criterion);
  const long_px = Math.max(picture.width_px, picture.height_px);
  for (let side_px = long_px;; side_px--) {
    // At the latest a copy as small as one tile ends this.
    const smaller = {
      width_px: Math.max(1, Math.trunc(picture.width_px * side_px / long_px)),
      height_px: Math.max(1, Math.trunc(picture.height_px * side_px / long_px)),
    };
    const grid = bestGrid(gridsAround(smaller, tile), smaller, tile, criterion);
    if (grid.columns * grid.rows <= tiles_max) return grid;
  }
}

function gridsAround(picture: Size, tile: Size): Grid[] {
  const columns = Math.ceil(picture.width_px / tile.width_px);
  const rows = Math.ceil(picture.height_px / tile.height_px);
  return [columns - 1, columns].filter((count) => count >= 1).flatMap((columns) =>
    [rows - 1, rows].filter((count) => count >= 1).map((rows) => ({ columns, rows }))
  );
}

/**
 * Every grid of exactly that many tiles. The specification names the number only; taking all its divisors, judged
 * by the same criterion, is our reading of it.
 */
function gridsOf(tiles: number): Grid[] {
  const grids: Grid[] = [];
  for (let columns = 1; columns <= tiles; columns++) {
    if (tiles % columns === 0) grids.push({ columns, rows: tiles / columns });
  }
  return grids;
}

/** The first grid with the least loss. */
function bestGrid(grids: readonly Grid[], picture: Size, tile: Size, criterion: Tiling["criterion"]): Grid {
  let best = grids[0];
  let least = Infinity;
  for (const grid of grids) {
    const loss = lossOf(grid, picture, tile, criterion);
    if (loss >= least) continue;
    least = loss;
    best = grid;
  }
  return best;
}

/** Square pixels of the grid that the picture, kept in shape, would leave empty; "closest" adds the growth or loss in area. */
function lossOf(grid: Grid, picture: Size, tile: Size, criterion: Tiling["criterion"]): number {
  const { width_px, height_px } = picture;
  const grid_width_px = grid.columns * tile.width_px;
  const grid_height_px = grid.rows * tile.height_px;
  const scale = Math.min(grid_width_px / width_px, grid_height_px / height_px);
  const waste = grid_width_px * grid_height_px - Math.trunc(width_px * scale) * Math.trunc(height_px * scale);
  if (criterion === "waste") return waste;
  return waste + Math.abs(grid_width_px * grid_height_px - width_px * height_px);
}
