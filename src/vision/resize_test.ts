// Numbers that Pillow 9.4 gave once, for machines without it; tests/model/pillow_resize_test.ts asks it anew.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import type { Picture } from "./picture.ts";
import { isUnchanged, resizeInto, type Resizing } from "./resize.ts";
import type { Filter } from "./resize_weights.ts";

function noise(width_px: number, height_px: number): Picture {
  let state = 1;
  const rgb = Uint8Array.from({ length: width_px * height_px * 3 }, () => {
    state = Math.imul(state, 1664525) + 1013904223 | 0;
    return state >>> 24;
  });
  return { rgb, width_px, height_px };
}

const at = (left_px: number, top_px: number, width_px: number, height_px: number) => ({
  left_px,
  top_px,
  width_px,
  height_px,
});

function resize(picture: Picture, resizing: Resizing): number[] {
  const { width_px, height_px } = resizing.window;
  const out = new Uint8Array(width_px * height_px * 3);
  resizeInto(out, picture, resizing);
  return [...out];
}

function whole(picture: Picture, width_px: number, height_px: number, filter: Filter): Resizing {
  const source = at(0, 0, picture.width_px, picture.height_px);
  return { source, size: { width_px, height_px }, window: at(0, 0, width_px, height_px), filter };
}

// deno-fmt-ignore
const golden: [from: [number, number], to: [number, number], filter: Filter, bytes: number[]][] = [
  [[5, 3], [3, 2], "bicubic", [149, 107, 96, 139, 80, 55, 123, 138, 113, 242, 110, 90, 121, 174, 173, 82, 144, 202]],
  [[5, 3], [3, 2], "bilinear", [151, 106, 98, 139, 90, 63, 124, 137, 116, 234, 112, 95, 124, 166, 166, 89, 143, 195]],
  [[5, 3], [3, 2], "lanczos", [150, 111, 95, 136, 70, 49, 120, 140, 113, 248, 109, 86, 117, 180, 177, 77, 145, 207]],
  [[3, 2], [5, 4], "bicubic", [41, 104, 134, 96, 54, 124, 183, 0, 97, 195, 81, 31, 194, 146, 0, 74, 90, 128, 112, 71,
    115, 174, 54, 87, 201, 120, 42, 211, 166, 18, 141, 63, 116, 143, 104, 96, 157, 172, 67, 211, 198, 65, 243, 206, 67,
    174, 49, 110, 159, 121, 87, 148, 232, 57, 217, 237, 76, 255, 226, 93]],
  [[3, 2], [5, 4], "lanczos", [27, 117, 133, 89, 44, 133, 185, 0, 100, 202, 66, 23, 186, 149, 0, 76, 93, 126, 110, 68,
    118, 173, 59, 86, 207, 124, 40, 210, 172, 20, 140, 62, 118, 137, 99, 99, 158, 167, 68, 214, 200, 61, 241, 203, 67,
    189, 38, 111, 158, 123, 84, 146, 249, 54, 219, 255, 78, 255, 226, 102]],
  [[7, 2], [2, 2], "bicubic", [152, 82, 79, 193, 173, 69, 92, 82, 131, 192, 169, 185]],
  [[7, 2], [2, 2], "bilinear", [155, 85, 78, 191, 170, 70, 96, 90, 135, 184, 165, 183]],
  [[7, 2], [2, 2], "lanczos", [151, 82, 80, 195, 174, 67, 93, 77, 127, 196, 170, 187]],
];

describe("resizeInto()", () => {
  for (const [[from_width, from_height], [width, height], filter, bytes] of golden) {
    it(`${filter}, ${from_width} x ${from_height} to ${width} x ${height}`, () => {
      const picture = noise(from_width, from_height);
      expect(resize(picture, whole(picture, width, height, filter))).toEqual(bytes);
    });
  }

  it("leaves a picture of the right size as it is, and says so", () => {
    const picture = noise(6, 5);
    const same = whole(picture, 6, 5, "lanczos");
    expect(isUnchanged(picture, same)).toBe(true);
    expect(resize(picture, same)).toEqual([...picture.rgb]);
    expect(isUnchanged(picture, whole(picture, 6, 4, "lanczos"))).toBe(false);
    expect(isUnchanged(picture, { ...same, window: at(1, 0, 5, 5) })).toBe(false);
  });

  for (const [width_px, height_px] of [[31, 17], [9, 40], [23, 19], [12, 19], [23, 11]]) {
    it(`gives a window of ${width_px} x ${height_px} the bits of the whole`, () => {
      const picture = noise(23, 19);
      const all = whole(picture, width_px, height_px, "bicubic");
      const pixels = resize(picture, all);
      const window = at(2, 3, width_px - 5, height_px - 4);
      const wanted = Array.from({ length: window.height_px }, (_, row) => {
        const begin = ((row + 3) * width_px + 2) * 3;
        return pixels.slice(begin, begin + window.width_px * 3);
      }).flat();
      expect(resize(picture, { ...all, window })).toEqual(wanted);
    });
  }

  it("sees nothing beyond the part it is given", () => {
    const picture = noise(8, 6);
    const source = at(3, 1, 4, 5);
    const part = noise(4, 5);
    for (let row = 0; row < 5; row++) {
      const begin = ((row + 1) * 8 + 3) * 3;
      part.rgb.set(picture.rgb.subarray(begin, begin + 12), row * 12);
    }
    for (const [width, height] of [[4, 5], [7, 5], [4, 3], [3, 9]]) {
      expect(resize(picture, { ...whole(part, width, height, "bicubic"), source }))
        .toEqual(resize(part, whole(part, width, height, "bicubic")));
    }
  });
});
