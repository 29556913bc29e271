import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { hold } from "../../tests/flow/pipeline_law.ts";
import { Samples } from "./samples.ts";

describe("Samples", () => {
  it("percentile of nothing is null", () => {
    expect(new Samples(4).percentile(0.5)).toBeNull();
  });

  it("percentile is the nearest rank among the newest, whatever came before", async () => {
    const input = fc.record({
      capacity: fc.integer({ min: 1, max: 20 }),
      values: fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 60 }),
      fraction: fc.double({ min: 0.001, max: 1, noNaN: true }),
    });
    await hold(300, input, ({ capacity, values, fraction }) => {
      const samples = new Samples(capacity);
      for (const value of values) samples.add(value);
      const newest = values.slice(-capacity);
      const found = samples.percentile(fraction)!;
      const at_or_below = newest.filter((value) => value <= found).length;
      const below = newest.filter((value) => value < found).length;
      expect(newest.some((value) => value === found)).toBe(true);
      expect(at_or_below).toBeGreaterThanOrEqual(fraction * newest.length - 1e-9);
      expect(below).toBeLessThan(fraction * newest.length + 1e-9);
    });
  });

  it("sorts numbers as numbers", () => {
    const samples = new Samples(8);
    for (const value of [10, 9, 100, 2]) samples.add(value);
    expect([samples.percentile(0.5), samples.percentile(0.95), samples.percentile(1)]).toEqual([9, 100, 100]);
  });
});
