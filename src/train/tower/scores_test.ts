import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { TowerScore } from "./scores.ts";
import type { Truth } from "./targets.ts";

const grid = { rows: 2, columns: 2, classes: 3 };

/** Heads that say `thing` in a cell, in its middle. */
function heads(said: Record<number, number>): { logits: Float32Array; boxes: Float32Array } {
  const logits = new Float32Array(16), boxes = new Float32Array(32);
  for (let cell = 0; cell < 4; cell++) {
    logits[cell * 4 + (said[cell] ?? 3)] = 9;
    boxes[cell * 8 + 2] = Math.log(0.3);
  }
  return { logits, boxes };
}

const truth = (thing: number, x: number, y: number, unsure = false): Truth => ({
  thing,
  x,
  y,
  size: 0.3,
  unsure,
});

function scored(said: Record<number, number>, cell_class: number[], truths: Truth[]) {
  const score = new TowerScore(), { logits, boxes } = heads(said);
  score.add(logits, boxes, Int32Array.from(cell_class), truths, grid);
  return score.numbers;
}

describe("tower score", () => {
  it("is full for what is right", () => {
    expect(scored({ 0: 1, 3: 2 }, [1, 3, 3, 2], [truth(1, 0.25, 0.25), truth(2, 0.75, 0.75)])).toEqual({
      cell: 1,
      f1: 1,
      exact: 1,
    });
    expect(scored({}, [3, 3, 3, 3], [])).toMatchObject({ exact: 1 });
  });

  it("counts wrong classes, places and inventions", () => {
    expect(scored({ 0: 2 }, [1, 3, 3, 3], [truth(1, 0.25, 0.25)])).toEqual({ cell: 0, f1: 0, exact: 0 });
    expect(scored({ 0: 1 }, [1, 3, 3, 3], [truth(1, 0.4, 0.25)])).toEqual({ cell: 1, f1: 0, exact: 0 });
    expect(scored({ 0: 1, 1: 1 }, [1, 3, 3, 3], [truth(1, 0.25, 0.25)]).f1).toBeCloseTo(2 / 3);
  });

  it("asks nothing of what is unsure", () => {
    const truths = [truth(1, 0.25, 0.25, true)];
    expect(scored({ 0: 1 }, [-1, 3, 3, 3], truths)).toMatchObject({ exact: 1 });
    expect(scored({}, [-1, 3, 3, 3], truths)).toMatchObject({ exact: 1 });
  });
});
