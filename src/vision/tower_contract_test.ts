import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { findMisfits, takesBatches } from "./tower_contract.ts";

const tower = {
  inputs: [{ name: "rgb", width_px: 8, height_px: 6 }],
  views: 1,
  vectors: 4,
  vector_width: 64,
};
const input = { name: "rgb", type: "uint8", shape: ["N", 6, 8, 3] };
const output = { name: "vectors", type: "float32", shape: ["N", 4, 64] };

describe("findMisfits()", () => {
  it("accepts a tower with and without an open batch", () => {
    expect(findMisfits([input], [output], tower)).toEqual([]);
    expect(findMisfits([{ ...input, shape: [1, 6, 8, 3] }], [{ ...output, shape: [1, "K", 64] }], tower))
      .toEqual([]);
    expect(takesBatches([input])).toBe(true);
    expect(takesBatches([{ ...input, shape: [1, 6, 8, 3] }])).toBe(false);
  });

  it("says what is there and what is wanted", () => {
    expect(findMisfits([{ ...input, type: "float32" }], [{ ...output, shape: ["N", 4, 32] }], tower)).toEqual(
      [
        'its input "rgb" is float32 [N, 6, 8, 3], wanted is uint8 [N, 6, 8, 3]',
        'its output "vectors" is float32 [N, 4, 32], wanted is float32 [N, 4, 64]',
      ],
    );
    expect(findMisfits([input, input], [], tower)).toEqual([
      "it has 2 inputs, one is wanted",
      "it has 0 outputs, one is wanted",
    ]);
    expect(findMisfits([{ ...input, shape: [2, 6, 8, 3] }], [output], tower).length).toBe(1);
    const open = { ...tower, vectors: undefined };
    expect(findMisfits([input], [output], open)).toEqual([]);
    expect(findMisfits([input], [{ ...output, shape: [4, 64] }], open)).toEqual([
      'its output "vectors" is float32 [4, 64], wanted is float32 [N, K, 64]',
    ]);
  });

  it("wants rows in pairs of a tower that sees the frame before", () => {
    const pair = { ...tower, views: 2 };
    for (const rows of ["2N", 2]) {
      expect(findMisfits([{ ...input, shape: [rows, 6, 8, 3] }], [output], pair)).toEqual([]);
    }
    expect(findMisfits([{ ...input, shape: [1, 6, 8, 3] }], [output], pair)).toEqual([
      'its input "rgb" is uint8 [1, 6, 8, 3], wanted is uint8 [2 N, 6, 8, 3]',
    ]);
  });

  it("knows several inputs by their names, in any order, and views", () => {
    const large = { name: "sam", width_px: 16, height_px: 16 };
    const two = { ...tower, inputs: [...tower.inputs, large], views: 5 };
    const sam = { name: "sam", type: "uint8", shape: ["N5", 16, 16, 3] };
    expect(findMisfits([sam, input], [output], two)).toEqual([]);
    expect(findMisfits([{ ...sam, shape: [5, 16, 16, 3] }, input], [output], two)).toEqual([]);
    expect(takesBatches([{ ...sam, shape: [5, 16, 16, 3] }, input])).toBe(false);
    expect(findMisfits([input], [output], two)).toEqual(["it has 1 inputs, 2 are wanted"]);
    expect(findMisfits([{ ...sam, name: "dino" }, { ...input, shape: [1, 6, 8, 3] }], [output], two)).toEqual(
      [
        'its input "rgb" is uint8 [1, 6, 8, 3], wanted is uint8 [5 N, 6, 8, 3]',
        'it has no input "sam", but "dino", "rgb"',
      ],
    );
  });
});
