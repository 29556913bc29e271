import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { PlotPoints } from "./plot_points.ts";

describe("PlotPoints", () => {
  it("keeps every point while there is room", () => {
    const points = new PlotPoints(4);
    for (let step = 1; step <= 4; step++) points.add({ step, loss: step });
    expect(points.list()).toEqual([1, 2, 3, 4].map((step) => ({ step, loss: step })));
  });

  it("keeps means of equal spans when there is not, and never more than its bound", () => {
    const points = new PlotPoints(4);
    for (let step = 1; step <= 16; step++) {
      points.add({ step, loss: step });
      expect(points.list().length).toBeLessThanOrEqual(4);
    }
    expect(points.list()).toEqual([
      { step: 4, loss: 2.5 },
      { step: 8, loss: 6.5 },
      { step: 12, loss: 10.5 },
      { step: 16, loss: 14.5 },
    ]);
  });

  it("keeps what only one of two neighbours has", () => {
    const points = new PlotPoints(2);
    points.add({ step: 1, loss: 1 });
    points.add({ step: 2, box: 5 });
    points.add({ step: 3, loss: 3 });
    expect(points.list()).toEqual([{ step: 2, loss: 1, box: 5 }, { step: 3, loss: 3 }]);
  });
});
