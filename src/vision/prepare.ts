// Pixels for the inputs of a graph: what views.ts planned, done. Runs in the worker. Must not know ONNX.
import type { Picture } from "./picture.ts";
import { isUnchanged, resizeInto } from "./resize.ts";
import { countViews, type Sight, type Tile } from "./views.ts";

export interface PlannedTile {
  picture: Picture;
  tile: Tile;
}

/**
 * For each input of `sight`, in order: tiles x views x height x width x 3 bytes. Inputs of one size share one array, and
 * a single frame that already fits is handed on as it is.
 */
export function prepareInputs(planned: readonly PlannedTile[], sight: Sight): Uint8Array[] {
  const views = countViews(sight);
  const by_size = new Map<string, Uint8Array>();
  return sight.inputs.map(({ width_px, height_px }, input) => {
    const key = `${width_px} x ${height_px}`;
    const known = by_size.get(key);
    if (known !== undefined) return known;
    const pixels = prepareInput(planned, input, views, width_px * height_px * 3);
    by_size.set(key, pixels);
    return pixels;
  });
}

function prepareInput(
  planned: readonly PlannedTile[],
  input: number,
  views: number,
  view_bytes: number,
): Uint8Array {
  const [{ picture, tile }] = planned;
  if (planned.length === 1 && views === 1 && isUnchanged(picture, tile[input][0])) return picture.rgb;
  const all = new Uint8Array(planned.length * views * view_bytes);
  planned.forEach(({ picture, tile }, index) =>
    tile[input].forEach((resizing, view) => {
      const begin = (index * views + view) * view_bytes;
      resizeInto(all.subarray(begin, begin + view_bytes), picture, resizing);
    })
  );
  return all;
}
