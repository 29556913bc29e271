// Our resizing against Pillow itself, bit for bit: every filter, up and down, extreme shapes, and the cut of CLIP models.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { planTiles } from "../../src/vision/views.ts";
import type { Picture } from "../../src/vision/picture.ts";
import { resizeInto } from "../../src/vision/resize.ts";
import type { Filter } from "../../src/vision/resize_weights.ts";
import { missingPillow, type PillowCase, pillowResults } from "./pillow.ts";

const filters: Filter[] = ["bicubic", "bilinear", "lanczos"];
const missing = await missingPillow();

/** Numbers in [0, 1) that are the same in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = Math.imul(state, 1664525) + 1013904223 | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** Noise is where rounding is hardest, black and white where overshoot is cut, ramps are what photographs are. */
function paint(width_px: number, height_px: number, random: () => number): Picture {
  const rgb = new Uint8Array(width_px * height_px * 3);
  const kind = Math.floor(random() * 3);
  for (let index = 0; index < rgb.length; index++) {
    const ramp = (index * 7 / width_px + index % 3 * 60) % 256;
    rgb[index] = kind === 0 ? random() * 256 : kind === 1 ? (random() < 0.5 ? 0 : 255) : ramp;
  }
  return { rgb, width_px, height_px };
}

function resize({ picture, filter, to: [width_px, height_px] = [1, 1] }: PillowCase): Uint8Array {
  const out = new Uint8Array(width_px * height_px * 3);
  const whole = (size: { width_px: number; height_px: number }) => ({
    left_px: 0,
    top_px: 0,
    width_px: size.width_px,
    height_px: size.height_px,
  });
  const size = { width_px, height_px };
  resizeInto(out, picture, { source: whole(picture), size, window: whole(size), filter });
  return out;
}

async function compare(cases: PillowCase[], ours: (one: PillowCase) => Uint8Array): Promise<void> {
  const wanted = await pillowResults(cases);
  const different = cases.flatMap((one, index) => {
    const found = ours(one);
    const count = wanted[index].filter((value, at) => value !== found[at]).length;
    const name = `${one.picture.width_px} x ${one.picture.height_px} to ${one.to ?? one.crop} ${one.filter}`;
    return count === 0 && found.length === wanted[index].length ? [] : [`${name}: ${count} bytes`];
  });
  expect(different).toEqual([]);
}

describe("resizing", () => {
  it.unless(missing, "gives Pillow's bits for random sizes", async () => {
    const random = dice(11);
    const side = () => 1 + Math.floor(random() ** 2 * 150);
    const cases = Array.from({ length: 240 }, (_, index): PillowCase => ({
      picture: paint(side(), side(), random),
      filter: filters[index % 3],
      to: [side(), side()],
    }));
    await compare(cases, resize);
  });

  it.unless(missing, "gives Pillow's bits for extreme shapes and equal sides", async () => {
    const random = dice(12);
    const shapes: [number, number, number, number][] = [
      [1, 1, 1, 1],
      [1, 1, 31, 17],
      [37, 29, 1, 1],
      [1, 3000, 64, 64],
      [3000, 1, 64, 64],
      [2999, 3, 64, 48],
      [3, 5, 400, 300],
      [40, 30, 40, 30],
      [40, 30, 40, 77],
      [40, 30, 77, 30],
      [641, 481, 336, 336],
      [1280, 720, 448, 448],
    ];
    await compare(
      shapes.flatMap(([width, height, ...to]) =>
        filters.map((filter) => ({ picture: paint(width, height, random), filter, to }))
      ),
      resize,
    );
  });

  it.unless(missing, "cuts out the middle as CLIP's pre-processing does", async () => {
    const random = dice(13);
    const side = () => 1 + Math.floor(random() * 120);
    const cases = Array.from({ length: 60 }, (_, index): PillowCase => ({
      picture: paint(side(), side(), random),
      filter: filters[index % 3],
      crop: 1 + Math.floor(random() * 60),
    }));
    await compare(cases, ({ picture, filter, crop }) => {
      const side_px = crop!;
      const [[[cut]]] = planTiles(picture, {
        fit: "crop",
        filter,
        views: "whole",
        tiling: null,
        inputs: [{ name: "rgb", width_px: side_px, height_px: side_px }],
      });
      const out = new Uint8Array(side_px * side_px * 3);
      resizeInto(out, picture, cut);
      return out;
    });
  });
});
