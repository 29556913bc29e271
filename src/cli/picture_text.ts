// How a bundle sees and is asked about a picture, in words and numbers: for `gander model import` and `info` alike.
// Must not know bundles on disk or engines.
import type { Manifest } from "../model/manifest.ts";

type Vision = Pick<NonNullable<Manifest["vision"]>, "vectors_per_frame" | "tiling" | "compressor">;

const orders = {
  first: "picture, then question",
  middle: "question, picture, question again",
  last: "question, then picture",
  many: "pictures, then question",
};

/** What of a picture goes through the tower, at most. */
export function maxTiles({ tiling }: Pick<Vision, "tiling">): number {
  return tiling === null ? 1 : tiling.tiles_fixed ?? tiling.tiles_max;
}

/** Vectors of one picture, at most: without a compressor each of its tiles keeps its own. */
export function maxVectors({ vectors_per_frame, tiling, compressor }: Vision): number {
  return vectors_per_frame * (compressor === null ? maxTiles({ tiling }) : 1);
}

export function vectorsText(vision: Vision): string {
  const { vectors_per_frame: vectors, tiling, compressor } = vision;
  if (tiling === null || compressor !== null) return `${vectors} vectors of one picture`;
  return `${vectors} vectors of one tile, up to ${maxVectors(vision)} of a picture`;
}

/** Empty without tiles. */
export function tilesText({ tiling }: Pick<Vision, "tiling">): string {
  if (tiling === null) return "";
  return tiling.tiles_fixed === null ? `up to ${tiling.tiles_max} tiles` : `${tiling.tiles_fixed} tiles`;
}

export function imageText(
  { position, images_max, scan, scan_rows, scan_columns }: NonNullable<Manifest["image"]>,
): string {
  const pictures = images_max === 1 ? "one picture" : `up to ${images_max} pictures`;
  const grid = scan === "row_major" ? "" : `, ${scan} over ${scan_rows} x ${scan_columns}`;
  return `${orders[position]}; ${pictures}${grid}`;
}
