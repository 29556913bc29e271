import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { inventScene } from "../world/author.ts";
import { eventsOf } from "../world/events.ts";
import { Renderer } from "../world/renderer.ts";
import { readScript } from "../world/script.ts";
import { makeSprite, type Sprite } from "../world/sprite.ts";
import { placeOf, poseAt } from "../world/tracks.ts";
import { playCups } from "./cups.ts";
import { frameChanges } from "./frame_changes.ts";
import { calmMoment, withFuture } from "./future.ts";
import { planQuestions } from "./question_plan.ts";
import { playRepeats } from "./repeats.ts";

const square: Sprite = makeSprite(new Uint8Array(64 * 64 * 4).fill(255), 64, 64)!;
const settle = (t_s: number) => t_s;

describe("own scenes", () => {
  it("of the shell game are scripts, and ask for where the thing then is", () => {
    for (const hidden of [false, true]) {
      for (const swaps of [0, 1, 5]) {
        const { exam, questions } = playCups({ name: "cups", seed: swaps, style: "noto", swaps, hidden });
        expect(readScript(JSON.parse(JSON.stringify(exam.script)))).toHaveProperty("script");
        expect(questions.length).toBe(hidden ? 1 : 3);
        for (const { facts, t_s, depth } of questions) {
          if (facts.kind !== "place") throw new Error("not a place");
          const object = exam.script.objects.find(({ name }) => name === facts.name)!;
          expect([placeOf(poseAt(object, t_s)!), depth]).toEqual([facts.place, swaps]);
          expect(t_s).toBeLessThan(exam.script.duration_s);
        }
      }
    }
  });

  it("of the hidden game keep the thing behind one cover while places are swapped", () => {
    const { exam: { script } } = playCups({ name: "cups", seed: 3, style: "noto", swaps: 4, hidden: true });
    const [thing, ...covers] = script.objects;
    for (let t_s = 4; t_s < script.duration_s; t_s += 0.25) {
      const at = poseAt(thing!, t_s)!;
      const over = covers.map((cover) => poseAt(cover, t_s)!)
        .filter((one) =>
          Math.abs(one.x - at.x) < 1e-9 && Math.abs(one.y - at.y) < 1e-9 && one.size > at.size
        );
      expect([t_s, over.length]).toEqual([t_s, 1]);
    }
  });

  it("of repeats let one thing come as often as they say", () => {
    const exam = playRepeats({ name: "repeats", seed: 2, style: "noto", times: 4 });
    expect(exam.events.filter(({ kind }) => kind === "enter").length).toBe(4);
    expect(exam.events.filter(({ kind }) => kind === "leave").length).toBe(4);
    const questions = planQuestions(exam, { sets: ["repeats"], moments: 4, settle });
    expect(questions.map(({ depth }) => depth)).toEqual([1, 2, 3, 4]);
  });
});

describe("another future", () => {
  const scenes = [1, 2, 3].map((seed) =>
    inventScene({ seed, level: "L3", duration_s: 40, styles: ["noto"], grammar: "test", still: false })
  );
  const other = inventScene({
    ...{ seed: 9, level: "L3", duration_s: 40 },
    styles: ["noto"],
    grammar: "test",
  });

  it("begins at a moment of calm, and changes nothing before it, to the last pixel", () => {
    for (const script of scenes) {
      const at_s = calmMoment(script)!;
      expect(at_s).toBeGreaterThan(4);
      const changed = withFuture(script, other, at_s);
      expect(readScript(JSON.parse(JSON.stringify(changed)))).toHaveProperty("script");
      const [a, b] = [script, changed].map((one) =>
        new Renderer(one, () => square, { width_px: 24, height_px: 24 })
      );
      for (let t_s = 0; t_s <= at_s; t_s += 0.5) expect(a!.frame(t_s)).toEqual(b!.frame(t_s));
      const before = (one: typeof script) => eventsOf(one).filter(({ t_s }) => t_s < at_s - 1);
      expect(before(changed)).toEqual(before(script));
    }
  });

  it("brings other things after it", () => {
    const changed = withFuture(scenes[0]!, other, calmMoment(scenes[0]!)!);
    expect(eventsOf(changed)).not.toEqual(eventsOf(scenes[0]!));
  });
});

describe("frame changes", () => {
  it("are nothing on a still scene without noise, and something where things move", () => {
    const of = (still: boolean) => {
      const script = inventScene({
        ...{ seed: 4, level: "L1", duration_s: 20 },
        styles: ["x"],
        grammar: "train",
        still,
      });
      return frameChanges(
        { ...script, nuisance: { noise: 0, shake: 0, freezes: [], black: [] } },
        () => square,
      );
    };
    expect(of(true).every(({ change }) => change === 0)).toBe(true);
    expect(of(false).some(({ change }) => change > 1)).toBe(true);
    expect(of(false).length).toBe(40);
  });
});
