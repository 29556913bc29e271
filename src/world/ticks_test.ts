import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { inventScene } from "./author.ts";
import { Dice } from "./dice.ts";
import { eventsOf, type WorldEvent } from "./events.ts";
import { readLine } from "./reading.ts";
import { labelTicks } from "./ticks.ts";

const dice = () => new Dice(1, "ticks");

describe("tick labels", () => {
  it("tell every event once, at the first tick behind it", () => {
    for (let seed = 0; seed < 20; seed++) {
      const request = { seed, level: "L2", duration_s: 90, styles: ["noto"], grammar: "train" } as const;
      const events = eventsOf(inventScene(request));
      const labels = labelTicks(events, { duration_s: 90, rate_hz: 2 }, dice());
      expect(labels.length).toBe(180);
      const told = labels.flatMap((label) => label.told);
      expect(new Set(told).size).toBe(told.length);
      expect([seed, events.length - told.length <= 1 + events.length * 0.05]).toEqual([seed, true]);
      for (const { t_s, line, told } of labels) {
        for (const event of told) {
          expect(event.t_s).toBeLessThanOrEqual(t_s);
          expect(t_s - event.t_s).toBeLessThanOrEqual(3);
        }
        expect(line === undefined ? [] : readLine(line).map(({ kind }) => kind)).toEqual(
          told.map(({ kind }) => kind),
        );
      }
    }
  });

  it("queue what comes at once, and drop what has become old", () => {
    const events = Array.from({ length: 10 }, (): WorldEvent => ({ kind: "stop", t_s: 1, object: "dog" }));
    const labels = labelTicks(events, { duration_s: 10, rate_hz: 2 }, dice());
    // From 1 s to 4 s there are seven ticks.
    expect(labels.filter(({ line }) => line !== undefined).map(({ t_s }) => t_s)).toEqual([
      1,
      1.5,
      2,
      2.5,
      3,
      3.5,
      4,
    ]);
  });
});
