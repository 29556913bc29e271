// Which parts of a picture, at which size, go into which input of a tower (spec 2.3, 2.5, 2.7, 2.9). Plans only; must
// not know pixels, workers or ONNX.
import type { Rectangle, Size } from "./picture.ts";
import type { Resizing } from "./resize.ts";
import type { Filter } from "./resize_weights.ts";
import { vision_limits } from "./limits.ts";
import { chooseGrid, type Grid, type Tiling } from "./tiling.ts";

export interface GraphInput extends Size {
  /** Name of the graph's input. */
  name: string;
}

const view_counts = { whole: 1, whole_and_quarters: 5, before_and_now: 2 } as const;

/** How a model was trained to see a picture. */
export interface Sight {
  /** stretch: both sides take the input's size. crop: the shorter side does, and the middle is cut out. */
  fit: "stretch" | "crop";
  filter: Filter;
  inputs: readonly GraphInput[];
  /**
   * whole_and_quarters: the picture, then its quarters top left, top right, bottom left, bottom right. before_and_now: the
   * frame one tick before, then the frame; what has none before is its own.
   */
  views: keyof typeof view_counts;
  /** The picture is stretched over a grid of inputs' size, each cell is one tile; null: the picture is one tile. */
  tiling: Tiling | null;
}

/** One row of a graph's batch: for each input, in their order, its views. */
export type Tile = Resizing[][];

/** Why a tower cannot be fed like that, or undefined. */
export function findSightFault({ fit, views, tiling }: Sight): string | undefined {
  if (tiling === null) return undefined;
  if (fit === "crop") return "tiles are stretched, they cannot be cropped";
  if (views === "whole_and_quarters") return "tiles have no quarters";
  if (views === "before_and_now") return "tiles have no frame before";
  const { tiles_max, tiles_fixed } = tiling;
  if (Math.max(tiles_max, tiles_fixed ?? 0) <= vision_limits.tiles_max) return undefined;
  return `more than ${vision_limits.tiles_max} tiles are not made`;
}

/** Views of one tile. */
export function countViews({ views }: Pick<Sight, "views">): number {
  return view_counts[views];
}

/** True for the view of a tile that shows the frame before. */
export function isBefore({ views }: Pick<Sight, "views">, view: number): boolean {
  return views === "before_and_now" && view === 0;
}

/** Tiles of a picture of that size, at least one. */
export function countTiles(picture: Size, sight: Sight): number {
  const { columns, rows } = gridOf(picture, sight);
  return columns * rows;
}

/** Everything that is resized for a picture; tiles row by row. */
export function planTiles(picture: Size, sight: Sight): Tile[] {
  const grid = gridOf(picture, sight);
  const { inputs, fit, filter } = sight;
  const sources = sourcesOf(picture, sight.views);
  return Array.from({ length: grid.columns * grid.rows }, (_, index) => {
    const column = index % grid.columns;
    const row = Math.floor(index / grid.columns);
    return inputs.map((input) =>
      sources.map((source) =>
        sight.tiling === null
          ? { source, filter, ...(fit === "crop" ? cropMiddle(source, input) : stretch(input)) }
          : { source, filter, ...cell(input, grid, column, row) }
      )
    );
  });
}

function gridOf(picture: Size, { tiling, inputs }: Sight): Grid {
  return tiling === null ? { columns: 1, rows: 1 } : chooseGrid(picture, inputs[0], tiling);
}

function sourcesOf(picture: Size, views: Sight["views"]): Rectangle[] {
  const whole = wholeOf(picture);
  if (views === "whole_and_quarters") return [whole, ...quartersOf(picture)];
  return views === "before_and_now" ? [whole, whole] : [whole];
}

function wholeOf({ width_px, height_px }: Size): Rectangle {
  return { left_px: 0, top_px: 0, width_px, height_px };
}

/** Four parts of half the sides, rounded down: an odd side loses its last pixel. A side of 1 is in every quarter. */
function quartersOf(picture: Size): Rectangle[] {
  const width_px = Math.max(1, Math.floor(picture.width_px / 2));
  const height_px = Math.max(1, Math.floor(picture.height_px / 2));
  const right_px = Math.floor(picture.width_px / 2);
  const bottom_px = Math.floor(picture.height_px / 2);
  return [[0, 0], [right_px, 0], [0, bottom_px], [right_px, bottom_px]]
    .map(([left_px, top_px]) => ({ left_px, top_px, width_px, height_px }));
}

function stretch({ width_px, height_px }: Size): Pick<Resizing, "size" | "window"> {
  const size = { width_px, height_px };
  return { size, window: wholeOf(size) };
}

/**
 * The smallest size of the same shape that covers the input, its longer side cut to whole pixels, and the middle of it,
 * half a pixel to the left and top where the margin is odd. For a square input this is what CLIP's own
 * pre-processing does.
 */
function cropMiddle(source: Size, { width_px, height_px }: Size): Pick<Resizing, "size" | "window"> {
  const narrow = source.width_px * height_px <= source.height_px * width_px;
  const size = narrow
    ? { width_px, height_px: Math.trunc(width_px * source.height_px / source.width_px) }
    : { width_px: Math.trunc(height_px * source.width_px / source.height_px), height_px };
  const left_px = Math.floor((size.width_px - width_px) / 2);
  const top_px = Math.floor((size.height_px - height_px) / 2);
  return { size, window: { left_px, top_px, width_px, height_px } };
}

function cell(tile: Size, grid: Grid, column: number, row: number): Pick<Resizing, "size" | "window"> {
  const { width_px, height_px } = tile;
  return {
    size: { width_px: grid.columns * width_px, height_px: grid.rows * height_px },
    window: { left_px: column * width_px, top_px: row * height_px, width_px, height_px },
  };
}
