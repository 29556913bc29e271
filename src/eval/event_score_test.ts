import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { inventScene } from "../world/author.ts";
import type { WorldEvent } from "../world/events.ts";
import { levels } from "../world/levels.ts";
import { addCounts, gradeEvents, ratesOf, scoreEvents } from "./event_score.ts";
import { examOf } from "./exam.ts";
import { oracleLines } from "./narration_baselines.ts";
import { type Line, toldBy } from "./told.ts";

const enter = (t_s: number, object = "dog", side = "left"): WorldEvent =>
  ({ kind: "enter", t_s, object, id: 0, side }) as WorldEvent;
const line = (t_s: number, text: string): Line => ({ t_s, text });
const score = (events: WorldEvent[], lines: Line[]) => scoreEvents(events, toldBy(lines));

describe("event scores", () => {
  it("count a line as right within two seconds either way, and not beyond", () => {
    for (const [t_s, right] of [[8, 1], [12, 1], [7.9, 0], [12.1, 0], [10, 1]] as const) {
      const { strict } = score([enter(10)], [line(t_s, "a dog comes in from the left")]);
      expect([t_s, strict]).toEqual([t_s, { right, told: 1, true: 1 }]);
    }
  });

  it("tell what is all right from what has the kind and the object right", () => {
    const { strict, thing } = score([enter(10)], [line(10, "a dog comes in from the right")]);
    expect([strict.right, thing.right]).toEqual([0, 1]);
    expect(score([enter(10)], [line(10, "a cat comes in from the left")]).thing.right).toBe(0);
    expect(score([enter(10)], [line(10, "a dog leaves to the left")]).thing.right).toBe(0);
  });

  it("take each line for one event, and as many events as can be", () => {
    const text = "a dog comes in from the left";
    expect(score([enter(10), enter(11)], [line(10.5, text)]).strict).toEqual({ right: 1, told: 1, true: 2 });
    // The line at 11.5 fits both, the one at 8.5 only the first: taking the nearest first would lose one.
    expect(score([enter(10), enter(12.5)], [line(8.5, text), line(11.5, text)]).strict.right).toBe(2);
  });

  it("count per kind what is told and what is true", () => {
    const { kinds } = score([enter(10)], [line(10, "a dog comes in from the left, now there are two dogs")]);
    expect(kinds.enter).toEqual({ right: 1, told: 1, true: 1 });
    expect(kinds.count).toEqual({ right: 0, told: 1, true: 0 });
  });

  it("have no rate where there is nothing to take one of", () => {
    expect(ratesOf({ right: 0, told: 0, true: 0 })).toMatchObject({
      precision: null,
      recall: null,
      f1: null,
    });
    expect(ratesOf({ right: 0, told: 0, true: 4 })).toMatchObject({ precision: null, recall: 0, f1: 0 });
    expect(ratesOf({ right: 2, told: 4, true: 4 })).toMatchObject({ precision: 0.5, recall: 0.5, f1: 0.5 });
  });

  it("give an ideal narrator nearly everything, at every level", () => {
    for (const level of Object.keys(levels) as (keyof typeof levels)[]) {
      const counts = Array.from({ length: 12 }, (_, seed) => {
        const request = { seed, level, duration_s: 60, styles: ["noto"], grammar: "test" } as const;
        const exam = examOf("x", "narration", inventScene(request));
        return scoreEvents(exam.events, toldBy(oracleLines(exam, 2, 0))).strict;
      });
      const { f1 } = ratesOf(addCounts(counts));
      expect(`${level} ${f1! > 0.97}`).toBe(`${level} true`);
    }
  });

  it("grade what is nearly right as a pair, and the rest as missed or redundant", () => {
    const lines = [line(10, "a dog comes in from the right"), line(13, "it gets dark")];
    expect(gradeEvents([enter(10), enter(30)], toldBy(lines))).toEqual({
      ...{ paired: 1, redundant: 1, missed: 1, cost: 0.25 },
    });
  });
});
