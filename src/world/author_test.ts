import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { inventScene, type SceneRequest, test_seed_first } from "./author.ts";
import { eventsOf } from "./events.ts";
import { levels } from "./levels.ts";
import { readScript } from "./script.ts";
import { isHeldOut } from "./stage.ts";
import { overlapShare, presentAt } from "./tracks.ts";

const request = (seed: number, changes: Partial<SceneRequest> = {}): SceneRequest => ({
  seed,
  level: "L2",
  duration_s: 60,
  styles: ["noto", "openmoji"],
  grammar: "train",
  ...changes,
});

describe("invented scenes", () => {
  it("are the same for the same seed, and others for another", () => {
    const text = (seed: number) => JSON.stringify(inventScene(request(seed)));
    expect(text(5)).toBe(text(5));
    expect(text(5)).not.toBe(text(6));
  });

  it("are scripts that the reader takes", () => {
    for (const level of ["L1", "L2", "L3"] as const) {
      for (let seed = 0; seed < 20; seed++) {
        const written = JSON.parse(JSON.stringify(inventScene(request(seed, { level }))));
        expect(readScript(written)).toHaveProperty("script");
      }
    }
  });

  it("keep to their level: how many, and who covers whom", () => {
    for (const level of ["L1", "L2"] as const) {
      for (let seed = 0; seed < 20; seed++) {
        const script = inventScene(request(seed, { level }));
        for (let t_s = 0; t_s < script.duration_s; t_s += 0.5) {
          const there = presentAt(script, t_s);
          expect(there.length).toBeLessThanOrEqual(levels[level].objects_max);
          for (const [index, { pose }] of there.entries()) {
            for (const other of there.slice(index + 1)) {
              expect(overlapShare(pose, other.pose)).toBeLessThan(0.35);
            }
          }
        }
      }
    }
  });

  it("do one thing at a time, so that one sentence a tick can tell all of it", () => {
    for (let seed = 0; seed < 30; seed++) {
      const times = eventsOf(inventScene(request(seed))).filter(({ kind }) => kind !== "count").map((
        { t_s },
      ) => t_s);
      for (const [index, t_s] of times.entries()) {
        if (index > 0) expect(t_s - times[index - 1]!).toBeGreaterThan(0.05);
      }
    }
  });

  it("hold still when nothing is to happen", () => {
    for (let seed = 0; seed < 20; seed++) {
      const script = inventScene(request(seed, { still: true }));
      expect(eventsOf(script)).toEqual([]);
      expect(presentAt(script, 30).length).toBeGreaterThan(0);
    }
  });

  it("never show training what is kept for the test", () => {
    let held_out = 0;
    for (let seed = 0; seed < 60; seed++) {
      for (const grammar of ["train", "test"] as const) {
        const first = grammar === "test" ? test_seed_first : 0;
        for (const event of eventsOf(inventScene(request(first + seed, { grammar })))) {
          if (event.kind !== "enter" && event.kind !== "leave") continue;
          if (!isHeldOut(event.object!, `${event.kind} ${event.side}`)) continue;
          expect(grammar).toBe("test");
          held_out++;
        }
      }
    }
    expect(held_out).toBeGreaterThan(5);
  });
});
