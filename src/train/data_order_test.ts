import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { cubicOrder, cubicPrime, drawsOf } from "./data_order.ts";

describe("cubicOrder", () => {
  it("takes the published primes", () => {
    expect([558_128, 665_298, 1_000, 100].map(cubicPrime)).toEqual([558_113, 665_279, 983, 89]);
  });

  it("begins as published", () => {
    const { exampleAt } = cubicOrder(100);
    expect([0, 1, 2, 3, 4, 5, 6, 7].map(exampleAt)).toEqual([0, 1, 8, 27, 64, 36, 38, 76]);
  });

  it("sees everything below the prime once a pass, from the other end in later passes", () => {
    const { prime, exampleAt } = cubicOrder(1_000);
    const pass = (number: number) => Array.from({ length: prime }, (_, i) => exampleAt(number * prime + i));
    expect(new Set(pass(0)).size).toBe(prime);
    expect(Math.max(...pass(0))).toBe(prime - 1);
    expect(pass(1)).toEqual(pass(0).map((index) => 999 - index));
    expect(pass(2)).toEqual(pass(1));
  });

  it("is exact where cubes are larger than a double can count", () => {
    const { prime, exampleAt } = cubicOrder(665_298);
    const draw = 665_000;
    expect(exampleAt(draw)).toBe(Number(BigInt(draw) ** 3n % BigInt(prime)));
  });

  it("works for one, two and three examples, and for none says so", () => {
    expect([0, 1, 2].map(cubicOrder(1).exampleAt)).toEqual([0, 0, 0]);
    expect([0, 1, 2].map(cubicOrder(2).exampleAt)).toEqual([0, 1, 0]);
    expect([0, 1, 2, 3].map(cubicOrder(3).exampleAt)).toEqual([0, 1, 2, 1]);
    expect(() => cubicOrder(0)).toThrow("Cannot order 0 examples");
  });

  it("counts draws over micro-steps", () => {
    expect(drawsOf(3, 4)).toEqual([12, 13, 14, 15]);
    expect(drawsOf(3, 2, 10)).toEqual([26, 27]);
  });
});
