import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import type { WorldEvent } from "../world/events.ts";
import { addTimings, progressive, timeEvents, timingOf } from "./timing_score.ts";
import { toldBy } from "./told.ts";

const stop = (t_s: number, object: string): WorldEvent => ({ kind: "stop", t_s, object, id: 0 });

describe("timing", () => {
  it("has the reference points of PAUC", () => {
    expect(progressive([])).toBe(0.125);
    expect(progressive([{ after_share: 0, points: 4 }])).toBe(1);
    expect(progressive([{ after_share: 0.5, points: 4 }])).toBeCloseTo(0.78, 2);
    expect(progressive([{ after_share: 1, points: 4 }])).toBeCloseTo(0.56, 2);
    expect(progressive([{ after_share: 0, points: 0 }])).toBe(0);
  });

  it("keeps the best that was said, whatever comes after it", () => {
    const right_then_wrong = [{ after_share: 0, points: 4 }, { after_share: 0.5, points: 0 }];
    expect(progressive(right_then_wrong)).toBe(1);
    const wrong_then_right = [{ after_share: 0, points: 0 }, { after_share: 1, points: 4 }];
    expect(progressive(wrong_then_right)).toBe(0.5);
  });

  it("splits early from late, and counts what is told in time", () => {
    const events = [stop(10, "dog"), stop(20, "cat"), stop(30, "owl"), stop(40, "bee")];
    const lines = [
      { t_s: 9.5, text: "the dog stops" },
      { t_s: 21.5, text: "the cat stops" },
      { t_s: 34, text: "the owl stops" },
    ];
    const timing = timingOf(timeEvents(events, toldBy(lines)));
    expect(timing.time_diff_s).toBeCloseTo(2, 9);
    expect(timing.early_share).toBeCloseTo(1 / 3, 9);
    expect(timing.early_mean_s).toBeCloseTo(0.5, 9);
    expect(timing.late_mean_s).toBeCloseTo(2.75, 9);
    expect(timing.trigger_accuracy).toEqual({ within_1_s: 0.25, within_2_s: 0.5, within_3_s: 0.5 });
    expect(timing.missed_share).toBe(0.25);
    expect(timing.jaccard).toBe(0.75);
  });

  it("does not hold a line about one event against another of the same thing", () => {
    const enter = { kind: "enter", t_s: 10, object: "dog", id: 0, side: "left" } as const;
    const lines = [{ t_s: 10, text: "a dog comes in from the left" }, { t_s: 12, text: "the dog stops" }];
    expect(timingOf(timeEvents([enter, stop(12, "dog")], toldBy(lines))).pauc).toBe(1);
    // Told of the stop alone, the coming is silence.
    const { pauc } = timingOf(timeEvents([enter, stop(12, "dog")], toldBy(lines.slice(1))));
    expect(pauc).toBeCloseTo((1 + 0.125) / 2, 9);
  });

  it("adds up over scenes", () => {
    const one = timeEvents([stop(10, "dog")], toldBy([{ t_s: 11, text: "the dog stops" }]));
    const none = timeEvents([stop(10, "dog")], []);
    expect(timingOf(addTimings([one, none])).trigger_accuracy.within_1_s).toBe(0.5);
    expect(timingOf(addTimings([])).pauc).toBe(null);
  });
});
