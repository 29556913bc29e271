import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { training_styles } from "../../world/art.ts";
import { type Sprite, withHalves } from "../../world/sprite.ts";
import { makeRun } from "./picture_batches.ts";
import { PictureMaker, type PictureRules } from "./pictures.ts";
import { inventScene } from "./scene.ts";

const rules: PictureRules = { seed: 4, styles: training_styles, backdrops: 12, side_px: 48 };

/** A full square of one colour: no art is needed to see where things are. */
const square: Sprite = withHalves({ side: 128, rgba: new Uint8Array(128 * 128 * 4).fill(255) });
const spriteOf = () => square;

function picture(maker: PictureMaker, index: number): Uint8Array {
  const out = new Uint8Array(maker.pair_bytes);
  maker.make(index, out);
  return out;
}

describe("training pictures", () => {
  it("are a pure function of seed and number", () => {
    const a = new PictureMaker(rules, spriteOf), b = new PictureMaker(rules, spriteOf);
    const first = [7, 8, 9, 10].map((index) => picture(a, index));
    // Another order, and others in between.
    const second = [10, 3, 9, 8, 44, 7].map((index) => [index, picture(b, index)] as const);
    for (const [at, index] of [7, 8, 9, 10].entries()) {
      expect(second.find(([number]) => number === index)![1]).toEqual(first[at]);
    }
    expect(first[0]).not.toEqual(first[1]);
    expect(picture(new PictureMaker({ ...rules, seed: 5 }, spriteOf), 7)).not.toEqual(first[0]);
  });

  it("never show the style that is kept for the test", () => {
    expect(() => new PictureMaker({ ...rules, styles: [...training_styles, "twemoji"] }, spriteOf)).toThrow(
      'Cannot train on the art style "twemoji"',
    );
    const seen = new Set<string>();
    const maker = new PictureMaker(rules, (style) => {
      seen.add(style);
      return square;
    });
    makeRun(maker, rules.side_px, 0, 150);
    expect([...seen].sort()).toEqual([...training_styles].sort());
  });

  it("stand still in a quarter of the pairs, to the last byte", () => {
    const maker = new PictureMaker(rules, spriteOf), half = maker.pair_bytes / 2;
    let still = 0;
    for (let index = 0; index < 200; index++) {
      const pair = picture(maker, index);
      const same = pair.subarray(0, half).every((value, at) => value === pair[half + at]);
      if (inventScene(rules, index).still) expect(same).toBe(true);
      if (same) still++;
    }
    expect(still).toBeGreaterThan(25);
    expect(still).toBeLessThan(90);
  });

  it("show what the scenes say: things, moves, comings and goings", () => {
    const counts = { now: 0, moved: 0, came: 0, gone: 0, none: 0, over: 0 };
    for (let index = 0; index < 400; index++) {
      const { things } = inventScene(rules, index);
      if (things.length === 0) counts.none++;
      for (const { before, now } of things) {
        if (now) counts.now++;
        if (now && !before) counts.came++;
        if (before && !now) counts.gone++;
        const way = before && now ? Math.hypot(now.x - before.x, now.y - before.y) : 0;
        if (way > 0) counts.moved++;
        expect(way).toBeLessThan(0.31);
        if (now && (now.x < 0 || now.x > 1 || now.y < 0 || now.y > 1)) counts.over++;
      }
    }
    expect(counts.now).toBeGreaterThan(500);
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(10);
  });

  it("have things where the targets say", () => {
    // White squares on what is there: the brightest columns are around the centre.
    const maker = new PictureMaker(rules, spriteOf), side = rules.side_px;
    let checked = 0, near = 0;
    for (let index = 0; index < 300; index++) {
      const { things, camera } = inventScene(rules, index);
      const only = things.length === 1 ? things[0]! : undefined, now = only?.now;
      const plain = only?.look.colour[0] === 1 && !only.look.hole && camera.noise < 0.03;
      if (!now || !plain || camera.black || now.x < 0.3 || now.x > 0.7) continue;
      const pair = picture(maker, index), frame = pair.subarray(pair.length / 2);
      const inside = pixel(frame, side, now.x, now.y),
        outside = pixel(frame, side, now.x > 0.5 ? 0.03 : 0.97, 0.03);
      checked++;
      if (inside > outside - 5) near++;
    }
    expect(checked).toBeGreaterThan(2);
    expect(near / checked).toBeGreaterThan(0.8);
  });
});

function pixel(frame: Uint8Array, side: number, x: number, y: number): number {
  const place = (value: number) => Math.min(side - 1, Math.max(0, Math.floor(value * side)));
  return frame[3 * (place(y) * side + place(x))]!;
}
