// A picture on its way to the tower, and the sentence for one that is none. Must not know towers or workers.
import { VisionError } from "./errors.ts";
import { vision_limits } from "./limits.ts";

/** uint8 RGB, width x height x 3, row-major. */
export interface Picture {
  rgb: Uint8Array;
  width_px: number;
  height_px: number;
}

/** A frame, and the one a tick before it, of the same size, where there is one. */
export interface FramePair extends Picture {
  before?: Uint8Array;
}

export interface Size {
  width_px: number;
  height_px: number;
}

/** A part of a picture; whole pixels, at least one. */
export interface Rectangle extends Size {
  left_px: number;
  top_px: number;
}

/** What is wrong with a picture, or undefined. */
export function findPictureFault({ rgb, width_px, height_px }: Picture): VisionError | undefined {
  const { picture_side_px_max, picture_pixels_max } = vision_limits;
  const refuse = (reason: string) => new VisionError("vision_input", `Cannot encode picture: ${reason}`);
  for (const side of [width_px, height_px]) {
    if (!Number.isInteger(side) || side < 1 || side > picture_side_px_max) {
      return refuse(`${width_px} x ${height_px} pixels, each side must be 1 to ${picture_side_px_max}`);
    }
  }
  if (width_px * height_px > picture_pixels_max) {
    return refuse(`${width_px} x ${height_px} pixels are more than ${picture_pixels_max}`);
  }
  const wanted = width_px * height_px * 3;
  if (rgb.length === wanted) return undefined;
  return refuse(`${rgb.length} bytes, wanted are ${width_px} x ${height_px} x 3 = ${wanted}`);
}
