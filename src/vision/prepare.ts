// Pixels for the inputs of a graph: what views.ts planned, done. Runs in the worker. Must not know ONNX.
import type { Picture } from "./picture.ts";
import { isUnchanged, resizeInto } from "./resize.ts";
import { countViews, isBefore, type Sight, type Tile } from "./views.ts";

export interface PlannedTile {
  picture: Picture;
  /** The frame one tick before, of the same size; left out: the picture itself. */
  before?: Picture;
  tile: Tile;
}

/**
 * For each input of `sight`, in order: tiles x views x height x width x 3 bytes. Inputs of one size share one array, and
 * a single frame that already fits is handed on as it is.
 */
export function prepareInputs(planned: readonly PlannedTile[], sight: Sight): Uint8Array[] {
  const by_size = new Map<string, Uint8Array>();
  return sight.inputs.map(({ width_px, height_px }, input) => {
    const key = `${width_px} x ${height_px}`;
    const known = by_size.get(key);
    if (known !== undefined) return known;
    const pixels = prepareInput(planned, input, sight, width_px * height_px * 3);
    by_size.set(key, pixels);
    return pixels;
  });
}

function prepareInput(
  planned: readonly PlannedTile[],
  input: number,
  sight: Sight,
  view_bytes: number,
): Uint8Array {
  const views = countViews(sight);
  const [{ picture, tile }] = planned;
  if (planned.length === 1 && views === 1 && isUnchanged(picture, tile[input][0])) return picture.rgb;
  const all = new Uint8Array(planned.length * views * view_bytes);
  planned.forEach(({ picture, before = picture, tile }, index) =>
    tile[input].forEach((resizing, view) => {
      const begin = (index * views + view) * view_bytes;
      const seen = isBefore(sight, view) ? before : picture;
      resizeInto(all.subarray(begin, begin + view_bytes), seen, resizing);
    })
  );
  return all;
}
