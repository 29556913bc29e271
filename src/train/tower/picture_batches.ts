// Runs of training pictures with their targets, as a worker hands them over. Must not know tokens, workers or trainers.
import { box_numbers } from "../../vision/object_picking.ts";
import type { PictureMaker } from "./pictures.ts";
import { captionOf, cell_px, type Truth, writeTargets } from "./targets.ts";

export interface PictureRun {
  count: number;
  side_px: number;
  /** uint8 [count, 2, side, side, 3]. */
  pixels: Uint8Array<ArrayBuffer>;
  /** int32 [count, cells]. */
  cell_class: Int32Array<ArrayBuffer>;
  /** float32 [count, cells, 8]. */
  cell_box: Float32Array<ArrayBuffer>;
  captions: string[];
  truths: Truth[][];
}

/** Pictures first, first + 1, … */
export function makeRun(maker: PictureMaker, side_px: number, first: number, count: number): PictureRun {
  const side = side_px / cell_px, cells = side * side, bytes = maker.pair_bytes;
  const run: PictureRun = {
    count,
    side_px,
    pixels: new Uint8Array(count * bytes),
    cell_class: new Int32Array(count * cells),
    cell_box: new Float32Array(count * cells * box_numbers),
    captions: [],
    truths: [],
  };
  for (let at = 0; at < count; at++) {
    const scene = maker.make(first + at, run.pixels.subarray(at * bytes, (at + 1) * bytes));
    const truths = writeTargets(
      scene,
      side,
      run.cell_class.subarray(at * cells, (at + 1) * cells),
      run.cell_box.subarray(at * cells * box_numbers, (at + 1) * cells * box_numbers),
    );
    run.truths.push(truths);
    run.captions.push(captionOf(truths));
  }
  return run;
}
