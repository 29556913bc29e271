import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { cubicOrder } from "../data_order.ts";
import { exampleOf } from "./passes.ts";

describe("exampleOf()", () => {
  it("is upstream's order for two passes", () => {
    const order = cubicOrder(100);
    expect(order.prime).toBe(89);
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((draw) => exampleOf(order, draw))).toEqual([
      0,
      1,
      8,
      27,
      64,
      36,
      38,
      76,
    ]);
    for (let draw = 0; draw < 178; draw++) expect(exampleOf(order, draw)).toBe(order.exampleAt(draw));
  });

  it("sees every example again and again, however small the set", () => {
    for (const count of [1, 2, 3, 14, 100]) {
      const order = cubicOrder(count);
      const seen = new Map<number, number>();
      for (let draw = 0; draw < 8 * order.prime; draw++) {
        const example = exampleOf(order, draw);
        seen.set(example, (seen.get(example) ?? 0) + 1);
      }
      expect([seen.size, Math.min(...seen.values()) >= 4]).toEqual([count, true]);
    }
  });
});
