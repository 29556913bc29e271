import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { bootstrap } from "./interval.ts";

const mean = (some: readonly number[]) => some.reduce((sum, one) => sum + one, 0) / some.length;

describe("interval", () => {
  it("holds the value, is as wide as scenes differ, and is the same every time", () => {
    const scenes = Array.from({ length: 50 }, (_, at) => at % 2);
    const { low, high } = bootstrap(scenes, mean)!;
    // The mean of 50 coins has a standard error of 0.071.
    expect(low).toBeGreaterThan(0.3);
    expect(low).toBeLessThan(0.42);
    expect(high).toBeGreaterThan(0.58);
    expect(high).toBeLessThan(0.7);
    expect(bootstrap(scenes, mean)).toEqual({ low, high });
    expect(bootstrap([3, 3, 3], mean)).toEqual({ low: 3, high: 3 });
  });

  it("is none where there is nothing to draw from", () => {
    expect(bootstrap([1], mean)).toBeUndefined();
    expect(bootstrap([1, 2], () => null)).toBeUndefined();
  });
});
