import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { averagingMatrix, poolingSpans } from "./token_pooling.ts";

describe("poolingSpans()", () => {
  it("has the cells of v6.0's grid sizes", () => {
    const cells = (grid_size: number) => poolingSpans({ kind: "grid", grid_size }, 24).length ** 2;
    expect([-1, 0, 1, 2, 3, 4, 5, 6, 8, 12, 24].map(cells)).toEqual(
      [576, 0, 1, 4, 9, 16, 36, 36, 64, 144, 576],
    );
  });

  it("leaves out what does not fill a kernel, as a convolution does", () => {
    expect(poolingSpans({ kind: "grid", grid_size: 3 }, 16)).toEqual([[0, 5], [5, 10], [10, 15]]);
  });

  it("has torch's adaptive cells, which overlap", () => {
    expect(poolingSpans({ kind: "adaptive", vectors: 9 }, 16)).toEqual([[0, 6], [5, 11], [10, 16]]);
    expect(poolingSpans({ kind: "adaptive", vectors: 1 }, 16)).toEqual([[0, 16]]);
    expect(poolingSpans({ kind: "adaptive", vectors: 256 }, 16)).toEqual(poolingSpans({ kind: "all" }, 16));
  });

  it("refuses what no such grid has", () => {
    for (const vectors of [0, 5, 289, -4, NaN]) {
      expect(() => poolingSpans({ kind: "adaptive", vectors }, 16)).toThrow("a square number of 1 to 256");
    }
    for (const grid_size of [-2, 17, 1.5]) {
      expect(() => poolingSpans({ kind: "grid", grid_size }, 16)).toThrow(`A grid size of ${grid_size}`);
    }
  });
});

describe("averagingMatrix()", () => {
  it("has rows of means in the order of the cells", () => {
    const matrix = averagingMatrix([[0, 1], [1, 3]], 3);
    expect([...matrix.subarray(0, 9)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect([...matrix.subarray(9, 18)]).toEqual([0, 0.5, 0.5, 0, 0, 0, 0, 0, 0]);
    expect([...matrix.subarray(27)]).toEqual([0, 0, 0, 0, 0.25, 0.25, 0, 0.25, 0.25]);
  });
});
