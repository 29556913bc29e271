import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { poolingMatrix } from "./pooling.ts";

describe("poolingMatrix()", () => {
  it("averages, with overlap when the grid does not divide", () => {
    const { data, shape } = poolingMatrix({
      rows: 1,
      columns: 3,
      pool_rows: 1,
      pool_columns: 2,
      class_token: true,
      class_vector: true,
    });
    expect(shape).toEqual([3, 4]);
    expect([...data]).toEqual([0, 0.5, 0.5, 0, 0, 0, 0.5, 0.5, 1, 0, 0, 0]);
  });

  it("is the identity when the sizes agree", () => {
    const grid = {
      rows: 2,
      columns: 2,
      pool_rows: 2,
      pool_columns: 2,
      class_token: false,
      class_vector: false,
    };
    expect([...poolingMatrix(grid).data]).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
  });

  it("gives rows that sum to one and leaves no patch out", () => {
    const grid = {
      rows: 7,
      columns: 5,
      pool_rows: 2,
      pool_columns: 3,
      class_token: false,
      class_vector: false,
    };
    const { data, shape: [outputs, tokens] } = poolingMatrix(grid);
    for (let row = 0; row < outputs; row++) {
      const sum = data.subarray(row * tokens, (row + 1) * tokens).reduce((total, share) => total + share, 0);
      expect(sum).toBeCloseTo(1, 6);
    }
    for (let token = 0; token < tokens; token++) {
      expect([...Array(outputs).keys()].some((row) => data[row * tokens + token] > 0)).toBe(true);
    }
  });

  it("refuses a grid larger than the patches", () => {
    const grid = {
      rows: 2,
      columns: 2,
      pool_rows: 3,
      pool_columns: 1,
      class_token: false,
      class_vector: false,
    };
    expect(() => poolingMatrix(grid)).toThrow("2 x 2 does not pool to 3 x 1");
  });
});
