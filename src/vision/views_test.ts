import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { vision_limits } from "./limits.ts";
import { countTiles, countViews, findSightFault, isBefore, planTiles, type Sight } from "./views.ts";

const input = { name: "rgb", width_px: 336, height_px: 336 };
const plain: Sight = { fit: "stretch", filter: "bicubic", views: "whole", tiling: null, inputs: [input] };
const tiled: Sight = {
  ...plain,
  filter: "lanczos",
  tiling: { criterion: "waste", tiles_max: 12 },
  inputs: [{ name: "rgb", width_px: 256, height_px: 256 }],
};
const at = (left_px: number, top_px: number, width_px: number, height_px: number) => ({
  left_px,
  top_px,
  width_px,
  height_px,
});
const size = (width_px: number, height_px: number) => ({ width_px, height_px });

describe("planTiles()", () => {
  it("stretches the whole picture to every input", () => {
    const sam = { name: "sam", width_px: 1024, height_px: 1024 };
    expect(planTiles(size(640, 480), { ...plain, inputs: [input, sam] })).toEqual([[
      [{ source: at(0, 0, 640, 480), size: size(336, 336), window: at(0, 0, 336, 336), filter: "bicubic" }],
      [{
        source: at(0, 0, 640, 480),
        size: size(1024, 1024),
        window: at(0, 0, 1024, 1024),
        filter: "bicubic",
      }],
    ]]);
  });

  it("cuts out the middle, the long side and odd margins rounded down", () => {
    const crop = (width_px: number, height_px: number) => {
      const [[[{ size, window }]]] = planTiles({ width_px, height_px }, { ...plain, fit: "crop" });
      return [
        size.width_px,
        size.height_px,
        window.left_px,
        window.top_px,
        window.width_px,
        window.height_px,
      ];
    };
    expect(crop(640, 480)).toEqual([448, 336, 56, 0, 336, 336]);
    expect(crop(481, 640)).toEqual([336, 447, 0, 55, 336, 336]); // 447.07 rows, a margin of 111
    expect(crop(336, 336)).toEqual([336, 336, 0, 0, 336, 336]);
    expect(crop(7, 3)).toEqual([784, 336, 224, 0, 336, 336]);
  });

  it("adds the quarters, which lose the last pixel of an odd side", () => {
    const sources = (width_px: number, height_px: number) =>
      planTiles({ width_px, height_px }, { ...plain, views: "whole_and_quarters" })[0][0]
        .map(({ source }) => source);
    expect(sources(7, 4)).toEqual([
      at(0, 0, 7, 4),
      at(0, 0, 3, 2),
      at(3, 0, 3, 2),
      at(0, 2, 3, 2),
      at(3, 2, 3, 2),
    ]);
    expect(sources(1, 1)).toEqual(Array(5).fill(at(0, 0, 1, 1)));
  });

  it("resizes the frame before like the frame", () => {
    const pair: Sight = { ...plain, views: "before_and_now", fit: "crop" };
    const [[[before, now]]] = planTiles(size(640, 480), pair);
    expect(before).toEqual(now);
    expect(now).toEqual(planTiles(size(640, 480), { ...plain, fit: "crop" })[0][0][0]);
    expect([countViews(pair), isBefore(pair, 0), isBefore(pair, 1)]).toEqual([2, true, false]);
    expect([countViews(plain), isBefore(plain, 0)]).toEqual([1, false]);
    expect(countViews({ views: "whole_and_quarters" })).toBe(5);
  });

  it("cuts tiles row by row", () => {
    const tiles = planTiles(size(512, 768), tiled);
    expect(countTiles(size(512, 768), tiled)).toBe(6);
    expect(tiles.map(([[{ window }]]) => [window.left_px, window.top_px])).toEqual(
      [[0, 0], [256, 0], [0, 256], [256, 256], [0, 512], [256, 512]],
    );
    expect(new Set(tiles.map(([[{ size }]]) => `${size.width_px} x ${size.height_px}`)))
      .toEqual(new Set(["512 x 768"]));
    expect(tiles[0][0][0].filter).toBe("lanczos");
  });
});

describe("findSightFault()", () => {
  it("accepts what models do and refuses what has no meaning", () => {
    expect(findSightFault(plain)).toBeUndefined();
    expect(findSightFault({ ...plain, fit: "crop", views: "whole_and_quarters" })).toBeUndefined();
    expect(findSightFault(tiled)).toBeUndefined();
    expect(findSightFault({ ...tiled, fit: "crop" })).toBe("tiles are stretched, they cannot be cropped");
    expect(findSightFault({ ...plain, views: "before_and_now" })).toBeUndefined();
    expect(findSightFault({ ...tiled, views: "whole_and_quarters" })).toBe("tiles have no quarters");
    expect(findSightFault({ ...tiled, views: "before_and_now" })).toBe("tiles have no frame before");
    const many = vision_limits.tiles_max + 1;
    const sentence = `more than ${vision_limits.tiles_max} tiles are not made`;
    expect(findSightFault({ ...tiled, tiling: { criterion: "waste", tiles_max: many } })).toBe(sentence);
    const fixed = { criterion: "waste", tiles_max: 1, tiles_fixed: many } as const;
    expect(findSightFault({ ...tiled, tiling: fixed })).toBe(sentence);
  });
});
