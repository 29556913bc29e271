import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { limits } from "../../pipeline/limits.ts";
import { orderDetections, writeSlots } from "../../vision/slots.ts";
import { Dice } from "../../world/dice.ts";
import { eventsOf } from "../../world/events.ts";
import { placeOf } from "../../world/tracks.ts";
import { things } from "../../world/vocabulary.ts";
import { makeClip } from "./clip.ts";
import { Confusions } from "./confusion.ts";
import type { Sight } from "./sight.ts";
import { simulateTower, slot_width, tick_floats } from "./simulate.ts";
import { shownWords } from "./shown_words.ts";
import { fed_at_least_every_s } from "./stillness.ts";
import { told_within_s } from "./telling.ts";
import { worldVocabulary } from "./vocabulary.ts";

const clips = Array.from({ length: 12 }, (_, seed) => makeClip(seed, 100, ["noto"]));
const best = (values: ArrayLike<number>) =>
  Array.from(values).reduce((most, value, at) => value > values[most]! ? at : most, 0);

describe("labels", () => {
  it("follow their event within the bound, and nearly every event is told", () => {
    let told = 0, all = 0;
    for (const { script, events } of clips) {
      const raw = eventsOf(script).filter(({ t_s }) => t_s < 48);
      all += raw.length;
      for (const event of events) {
        const { t_s, ...what } = event;
        const cause = raw.find((one) => {
          const { t_s: happened_s, ...rest } = one;
          return JSON.stringify(rest) === JSON.stringify(what) && t_s >= happened_s &&
            t_s - happened_s <= told_within_s + 0.2;
        });
        if (t_s < 48) expect([event, cause !== undefined]).toEqual([event, true]);
      }
      told += events.filter(({ t_s }) => t_s < 48).length;
    }
    expect(told / all).toBeGreaterThan(0.93);
  });
});

describe("a simulated tower", () => {
  it("of amount 0 sees the truth", () => {
    for (const { sights } of clips) {
      const rows = simulateTower(sights, { noise: 0, shake: 0 }, 0, new Dice(1, "truth"));
      const expected = new Float32Array(tick_floats);
      sights.forEach(({ objects, gain, backdrop_luma, black }, tick) => {
        const seen = objects.map((one) => ({
          ...one,
          objectness: 1,
          probabilities: things.map(({ name }) => name === one.name ? 1 : 0),
          fresh: one.fresh ? 1 : 0,
        }));
        const luma = black ? 0 : Math.min(1, backdrop_luma * gain);
        writeSlots(
          orderDetections(seen),
          { luma, luma_before: luma, change: 0 },
          things.length,
          expected,
        );
        const row = rows.subarray(tick * tick_floats, (tick + 1) * tick_floats);
        for (let slot = 0; slot < 4; slot++) {
          const [from, to] = [slot * slot_width, slot * slot_width + things.length + 1 + 34];
          expect(row.subarray(from, to)).toEqual(expected.subarray(from, to));
          // Luma: the first of the four numbers of the light.
          expect(row[to]).toBeCloseTo(expected[to]!, 5);
        }
      });
    }
  });

  it("errs more the larger the amount, and never in the shape of its rows", () => {
    const distance = (amount: number) => {
      let sum = 0;
      for (const { sights, script } of clips) {
        const truth = simulateTower(sights, { noise: 0, shake: 0 }, 0, new Dice(1, "a"));
        const rows = simulateTower(sights, script.nuisance, amount, new Dice(2, "a"));
        expect(rows.length).toBe(truth.length);
        rows.forEach((value, at) => {
          if (!Number.isFinite(value)) throw new Error(`not a number at ${at}`);
          sum += Math.abs(value - truth[at]!);
        });
      }
      return sum;
    };
    const [small, middling, large] = [distance(0.2), distance(0.6), distance(1)] as [number, number, number];
    expect([small < middling, middling < large]).toEqual([true, true]);
  });

  it("is wrong about an object now and then, and right about it over time", () => {
    const confusions = new Confusions(1, new Dice(5, "confusion"));
    let wrong_looks = 0, wrong_objects = 0;
    for (let id = 0; id < 200; id++) {
      const own = confusions.of(id, things[id % things.length]!.name);
      const sum = new Float64Array(things.length);
      for (let look = 0; look < 40; look++) {
        const shares = own.draw(1, 0);
        expect(shares.reduce((total, share) => total + share, 0)).toBeCloseTo(1, 4);
        if (best(shares) !== id % things.length) wrong_looks++;
        shares.forEach((share, at) => sum[at]! += share);
      }
      if (best(sum) !== id % things.length) wrong_objects++;
    }
    expect(wrong_looks / 8_000).toBeGreaterThan(0.01);
    expect(wrong_looks / 8_000).toBeLessThan(0.2);
    expect(wrong_objects / 200).toBeLessThan(0.05);
  });

  it("gives a frozen picture the same slots, at rest", () => {
    const { sights } = clips[3]!;
    const frozen: Sight[] = sights.slice(0, 4).map((sight, at) =>
      at < 2 ? sight : {
        ...sights[1]!,
        t_s: sight.t_s,
        frozen: true,
      }
    );
    const rows = simulateTower(frozen, { noise: 0.05, shake: 0.01 }, 1, new Dice(1, "frozen"));
    expect(rows.subarray(3 * tick_floats)).toEqual(rows.subarray(2 * tick_floats, 3 * tick_floats));
  });
});

describe("shown words", () => {
  it("name what a slot shows, or where", () => {
    const { decode } = worldVocabulary();
    let names = 0, places = 0;
    for (const { sights } of clips) {
      const rows = simulateTower(sights, { noise: 0, shake: 0 }, 0, new Dice(1, "truth"));
      sights.forEach(({ objects }, tick) => {
        const slots = rows.subarray(tick * tick_floats, (tick + 1) * tick_floats);
        const ordered = [...objects].sort((a, b) => a.x - b.x);
        shownWords(slots, new Dice(tick, "shown")).forEach((token, slot) => {
          const object = ordered[slot];
          if (object === undefined) return expect(token).toBe(undefined);
          const word = decode([token!]).trim();
          if (word === object.name) names++;
          else {
            expect(placeOf({ ...object, angle_deg: 0 }).includes(word) || word === "middle").toBe(true);
            places++;
          }
        });
      });
    }
    expect([names > 300, places > 300]).toEqual([true, true]);
  });
});

describe("still ticks", () => {
  it("are fed as often as the product's gate does", () => {
    expect(fed_at_least_every_s * 1000).toBe(limits.still_ms_max);
  });
});
