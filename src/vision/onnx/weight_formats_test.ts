import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { int8_peak, quantiseRows, toHalf, transpose } from "./weight_formats.ts";

describe("transpose()", () => {
  it("turns matrices that are no multiple of its tile", () => {
    const rows = 45, columns = 70;
    const turned = transpose(
      Float32Array.from({ length: rows * columns }, (_, index) => index),
      rows,
      columns,
    );
    for (const [row, column] of [[0, 0], [44, 69], [31, 32], [32, 31], [44, 0]]) {
      expect(turned[column * rows + row]).toBe(row * columns + column);
    }
    expect(transpose(turned, columns, rows)[71]).toBe(71);
  });
});

describe("toHalf()", () => {
  it("rounds to nearest even, keeps the largest, and lets the smallest vanish", () => {
    const data = Float32Array.of(1, 2049, 2051, 65504, 65519, -65504, 1e-8, -0.1);
    expect([...toHalf("x", data)]).toEqual([1, 2048, 2052, 65504, 65504, -65504, 0, -0.0999755859375]);
  });

  it("refuses what float16 has no number for", () => {
    expect(() => toHalf("vit.w", Float32Array.of(1, -65520))).toThrow(
      '"vit.w" holds -65520, and float16 ends',
    );
    expect(() => toHalf("vit.w", Float32Array.of(NaN))).toThrow('"vit.w" holds NaN');
  });
});

describe("quantiseRows()", () => {
  it("gives each output its own scale, half a step away at most", () => {
    // Two outputs of three inputs, of very different size.
    const data = Float32Array.of(0.01, -0.02, 0.003, 50, -100, 31);
    const { values, scales } = quantiseRows(data, 2, 3);
    expect(Math.max(...values.map(Math.abs))).toBe(int8_peak);
    for (let output = 0; output < 2; output++) {
      for (let input = 0; input < 3; input++) {
        const off = values[input * 2 + output] * scales[output] - data[output * 3 + input];
        expect(Math.abs(off)).toBeLessThanOrEqual(scales[output] * 0.5001);
      }
    }
  });

  it("takes an output of zeros", () => {
    const { values, scales } = quantiseRows(new Float32Array(2), 1, 2);
    expect([...values, ...scales]).toEqual([0, 0, 0]);
  });

  it("stays inside what 16 bits hold of two products", () => {
    expect(2 * 255 * int8_peak).toBeLessThanOrEqual(32_767);
  });
});
