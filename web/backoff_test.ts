import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { backoff_max_ms, backoffMs } from "./backoff.ts";

describe("backoffMs", () => {
  it("doubles and stops at its maximum", () => {
    expect([0, 1, 2, 10, 1000].map((attempt) => backoffMs(attempt, () => 1))).toEqual([
      500,
      1000,
      2000,
      15_000,
      15_000,
    ]);
  });
  it("keeps half of the delay certain", () => {
    expect(backoffMs(3, () => 0)).toBe(2000);
    expect(backoffMs(50, () => 0)).toBe(backoff_max_ms / 2);
  });
});
