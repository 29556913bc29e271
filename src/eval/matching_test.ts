import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { Dice } from "../world/dice.ts";
import { all_that_can, type Edge, matchRows } from "./matching.ts";

/** Tries everything. */
function leastCost(rows: readonly Edge[][], alone: number, row = 0, taken = new Set<number>()): number {
  if (row === rows.length) return 0;
  let least = alone + leastCost(rows, alone, row + 1, taken);
  for (const { to, cost } of rows[row]!) {
    if (taken.has(to)) continue;
    least = Math.min(least, cost + leastCost(rows, alone, row + 1, new Set([...taken, to])));
  }
  return least;
}

function costOf(rows: readonly Edge[][], alone: number, columns: (number | undefined)[]): number {
  return columns.reduce<number>(
    (sum, column, row) =>
      sum + (column === undefined ? alone : rows[row]!.find(({ to }) => to === column)!.cost),
    0,
  );
}

function randomRows(dice: Dice): Edge[][] {
  const columns = dice.between(1, 6), density = dice.share();
  return Array.from(
    { length: dice.between(0, 6) },
    () =>
      Array.from({ length: columns }, (_, to) => ({ to, cost: dice.between(0, 8) / 8 }))
        .filter(() => dice.chance(density)),
  );
}

describe("matching", () => {
  it("costs as little as the best of all that there are", () => {
    const dice = new Dice(1, "matching");
    for (let round = 0; round < 600; round++) {
      const rows = randomRows(dice);
      for (const alone of [0.4, 1, all_that_can]) {
        const columns = matchRows(rows, alone);
        const taken = columns.filter((column) => column !== undefined);
        expect(new Set(taken).size).toBe(taken.length);
        expect(costOf(rows, alone, columns)).toBeCloseTo(leastCost(rows, alone), 5);
      }
    }
  });

  it("gives way to another row when that makes one pair more", () => {
    const rows = [[{ to: 0, cost: 0 }, { to: 1, cost: 0.9 }], [{ to: 0, cost: 0.1 }]];
    expect(matchRows(rows, all_that_can)).toEqual([1, 0]);
    expect(matchRows(rows, 0.5)).toEqual([0, undefined]);
  });

  it("takes an hour of chatter in no time", () => {
    const dice = new Dice(2, "chatter");
    const rows = Array.from(
      { length: 1_000 },
      (_, row) => Array.from({ length: 14 }, (_, at) => ({ to: row * 7 + at, cost: dice.share() })),
    );
    const begun_ms = performance.now();
    expect(matchRows(rows, all_that_can).filter((column) => column === undefined)).toEqual([]);
    expect(performance.now() - begun_ms).toBeLessThan(3_000);
  });
});
