import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { jpegSize } from "./jpeg_size.ts";

const start = [0xff, 0xd8];
const app = [0xff, 0xe0, 0, 4, 1, 2];
const frame = (width: number, height: number, marker = 0xc0) => {
  return [0xff, marker, 0, 11, 8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0];
};
const size = (...bytes: number[]) => jpegSize(new Uint8Array(bytes));

describe("jpegSize", () => {
  it("finds the frame header of every process, behind other segments and fill bytes", () => {
    expect(size(...start, ...frame(640, 480))).toEqual({ width_px: 640, height_px: 480 });
    expect(size(...start, ...app, 0xff, 0xff, ...frame(16_000, 16_000, 0xc2))).toEqual({
      width_px: 16_000,
      height_px: 16_000,
    });
    expect(size(...start, ...frame(9, 9, 0xc4), ...frame(7, 5, 0xc1))).toEqual({ width_px: 7, height_px: 5 });
  });

  it("refuses what is no JPEG, has no size, or is cut off", () => {
    const refused = [[], [0xff], start, [...start, 1, 2, 3, 4], [...start, 0xff, 0xda, 0, 4, 0, 0], [
      ...start,
      0xff,
      0xe0,
      0,
      0,
    ]];
    for (
      const bytes of [...refused, [...start, ...frame(0, 5)], [...start, ...frame(640, 480).slice(0, 6)]]
    ) {
      expect(size(...bytes)).toHaveProperty("problem");
    }
  });

  it("ends on any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      expect(Object.keys(jpegSize(new Uint8Array([...start, ...bytes]))).length).toBeGreaterThan(0);
    }));
  });
});
