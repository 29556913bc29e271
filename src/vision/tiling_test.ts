import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { chooseGrid, type Tiling } from "./tiling.ts";

const tile = { width_px: 256, height_px: 256 };

function grid(width_px: number, height_px: number, tiling: Partial<Tiling>): string {
  const { columns, rows } = chooseGrid({ width_px, height_px }, tile, {
    criterion: "waste",
    tiles_max: 64,
    ...tiling,
  });
  return `${columns} x ${rows}`;
}

describe("chooseGrid()", () => {
  // Worked out by hand. 1920 x 1080: 7 x 4 leaves 28672 pixels empty, 7 x 5 487424, 8 x 4 233472, 8 x 5 262144;
  // their areas differ from the picture's by 238592, 220160, 23552 and 547840.
  it("takes the grid that wastes least", () => {
    expect(grid(1920, 1080, {})).toBe("7 x 4");
    expect(grid(1080, 1920, {})).toBe("4 x 7");
    expect(grid(256, 256, {})).toBe("1 x 1");
    expect(grid(1, 1, {})).toBe("1 x 1");
    expect(grid(512, 256, {})).toBe("2 x 1");
  });

  it("takes the closest", () => {
    expect(grid(1920, 1080, { criterion: "closest" })).toBe("8 x 4");
    expect(grid(1080, 1920, { criterion: "closest" })).toBe("4 x 8");
  });

  it("keeps the first of equals: fewer columns", () => {
    // 1 x 1 and 2 x 2 both leave nothing empty.
    expect(grid(512, 512, {})).toBe("1 x 1");
    expect(grid(512, 512, { criterion: "closest" })).toBe("2 x 2");
  });

  it("makes a large picture smaller until the tiles are few enough", () => {
    for (const tiles_max of [1, 2, 5, 12, 30]) {
      for (const [width_px, height_px] of [[1920, 1080], [500, 16_384], [16_384, 4_096], [3000, 3001]]) {
        for (const criterion of ["waste", "closest"] as const) {
          const { columns, rows } = chooseGrid({ width_px, height_px }, tile, { criterion, tiles_max });
          expect(columns * rows).toBeLessThanOrEqual(tiles_max);
          expect(columns * rows).toBeGreaterThan(tiles_max / 4);
        }
      }
    }
    // A copy of 1024 x 576 is the first whose grid has 8 tiles: 4 x 2.
    expect(grid(1920, 1080, { tiles_max: 8 })).toBe("4 x 2");
    expect(grid(1920, 1080, { tiles_max: 28 })).toBe("7 x 4");
  });

  it("always makes the fixed number, whatever the picture", () => {
    const fixed = { tiles_fixed: 4, tiles_max: 4 };
    expect(grid(1920, 1080, fixed)).toBe("2 x 2");
    expect(grid(2000, 400, fixed)).toBe("4 x 1");
    expect(grid(10, 400, fixed)).toBe("1 x 4");
    expect(grid(1000, 1000, { tiles_fixed: 7 })).toBe("1 x 7");
  });
});
