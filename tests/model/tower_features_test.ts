// What src/vision/onnx makes of encoders' features: fusing, views, pooling, projectors.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import type { Projector, TowerPlan } from "../../src/vision/onnx/tower_plan.ts";
import { outlineTower } from "../../src/vision/onnx/write_tower.ts";
import { hfShapes, lookup, projectorShapes, randomCheckpoint, same_of } from "./tower_checkpoints.ts";
import {
  checkpoint,
  dino,
  feature_width,
  fused,
  projected,
  sam,
  siglip,
  sizes,
  vector_width,
} from "./tower_miniatures.ts";
import { gap, type Pictures, randomPictures, withTower } from "./tower_runs.ts";

function side(pictures: Pictures, name: string): Pictures {
  return { rgb: pictures[name]! };
}

/** Mean of some rows. */
function mean(rows: readonly ArrayLike<number>[]): Float32Array {
  return Float32Array.from(
    rows[0]!,
    (_, index) => rows.reduce((sum, row) => sum + row[index]!, 0) / rows.length,
  );
}

/** Of a grid: the rows of the 2 x 2 patches below and right of (y, x). */
function square<T>(rows: readonly T[], grid: number, y: number, x: number): T[] {
  return [0, 1].flatMap((dy) => [0, 1].map((dx) => rows[(y + dy) * grid + x + dx]!));
}

describe("A tower of several encoders", () => {
  it("puts their features side by side, each with the input of its size", () =>
    withTower(fused, checkpoint, async ({ written, run }) => {
      expect(written).toMatchObject({ vectors: 16, vector_width: feature_width, grid: 4 });
      expect(written.inputs).toEqual([
        { name: "rgb_16", width_px: 16, height_px: 16, views: 1 },
        { name: "rgb_32", width_px: 32, height_px: 32, views: 1 },
      ]);
      const pictures = randomPictures(written.inputs, 1);
      const all = await run(pictures);
      let from = 0;
      for (
        const [encoder, name, width] of [
          [dino, "rgb_16", 24],
          [siglip, "rgb_16", 32],
          [sam, "rgb_32", 32],
        ] as const
      ) {
        const own = await withTower(
          { ...fused, encoders: [encoder], projector: same_of(width) },
          checkpoint,
          (tower) => tower.run(side(pictures, name)),
        );
        const to = from + own[0]!.length;
        expect(gap(all.map((row) => row.subarray(from, to)), own)).toBeLessThan(1e-6);
        from = to;
      }
      expect(from).toBe(feature_width);
    }));

  const twice: TowerPlan = {
    ...fused,
    views: "whole_and_quarters",
    projector: same_of(2 * feature_width),
  };
  it("sees five views: the whole, then quarters put together", () =>
    withTower(twice, checkpoint, async ({ written, run }) => {
      expect(written).toMatchObject({ vectors: 16, vector_width: 2 * feature_width });
      expect(written.inputs.map(({ views }) => views)).toEqual([5, 5]);
      const frames = 2;
      const pictures = randomPictures(written.inputs, frames);
      const found = await run(pictures);
      // The same ten pictures, each as a frame of its own.
      const views = await withTower(fused, checkpoint, (tower) => tower.run(pictures));
      const wanted = [];
      for (let frame = 0; frame < frames; frame++) {
        const of = (view: number) => views.slice((frame * 5 + view) * 16, (frame * 5 + view + 1) * 16);
        for (let y = 0; y < 4; y++) {
          for (let x = 0; x < 4; x++) {
            const quarter = of(1 + 2 * Math.floor(y / 2) + Math.floor(x / 2));
            const local = mean(square(quarter, 4, 2 * (y % 2), 2 * (x % 2)));
            wanted.push([...of(0)[y * 4 + x]!, ...local]);
          }
        }
      }
      expect(gap(found, wanted)).toBeLessThan(1e-5);
    }));

  it("gives the frames of a batch what each gets alone", () =>
    withTower(projected, checkpoint, async ({ written, run }) => {
      const both = randomPictures(written.inputs, 2);
      const half = (part: 0 | 1) =>
        Object.fromEntries(
          Object.entries(both).map(([name, all]) => [
            name,
            all.slice(part * all.length / 2, (part + 1) * all.length / 2),
          ]),
        );
      const alone = [...await run(half(0)), ...await run(half(1))];
      expect(gap(await run(both), alone)).toBeLessThan(1e-5);
    }));

  it("pools before the projector", async () => {
    const pictures = await withTower(
      fused,
      checkpoint,
      ({ written }) => Promise.resolve(randomPictures(written.inputs, 1)),
    );
    const features = await withTower(fused, checkpoint, ({ run }) => run(pictures));
    const pooled: TowerPlan = { ...fused, pooling: { kind: "adaptive", vectors: 4 } };
    const found = await withTower(pooled, checkpoint, ({ run }) => run(pictures));
    const wanted = [[0, 0], [0, 2], [2, 0], [2, 2]].map(([y, x]) => mean(square(features, 4, y!, x!)));
    expect(gap(found, wanted)).toBeLessThan(1e-5);
    const { vectors, vector_width: width } = outlineTower(
      { ...projected, pooling: { kind: "adaptive", vectors: 9 } },
      lookup(checkpoint),
      "fp32",
    );
    expect([vectors, width]).toEqual([9, vector_width]);
  });
});

describe("Projectors", () => {
  const hf = { kind: "siglip_hf", prefix: "hf.", heads: 2 } as const;
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

  for (const kind of ["linear", "gate_after", "relu", "gate_before"] as const) {
    it(`${kind} agrees with plain loops`, async () => {
      const shapes = projectorShapes(kind, sizes.width, vector_width);
      const all = randomCheckpoint({ ...hfShapes("siglip_hf", "hf.", sizes), ...shapes }, 9);
      const get = (name: string) => all.get(`proj.${name}`)!.data;
      const times = (name: string, x: readonly number[], bias?: string) => {
        const matrix = get(name);
        return Array.from(
          { length: matrix.length / x.length },
          (_, row) =>
            x.reduce(
              (sum, value, i) => sum + value * matrix[row * x.length + i]!,
              bias ? get(bias)[row]! : 0,
            ),
        );
      };
      const norm = (name: string, x: readonly number[]) => {
        const middle = x.reduce((sum, value) => sum + value, 0) / x.length;
        const variance = x.reduce((sum, value) => sum + (value - middle) ** 2, 0) / x.length;
        return x.map((value, i) =>
          (value - middle) / Math.sqrt(variance + 1e-5) * get(`${name}.weight`)[i]! + get(`${name}.bias`)[i]!
        );
      };
      const gated = (x: readonly number[]) => {
        const gate = times("gate.weight", x);
        return x.map((value, i) => value * sigmoid(gate[i]!));
      };
      const formulas: Record<typeof kind, (f: number[]) => number[]> = {
        linear: (f) => times("weight", f),
        gate_after: (f) => times("o_proj.weight", gated(times("proj.weight", f))),
        relu: (f) => times("o_proj.weight", times("proj.weight", f).map((value) => Math.max(0, value))),
        gate_before: (f) => norm("ln_v", times("o_proj.weight", gated(f))),
      };
      const plan = (projector: Projector): TowerPlan => ({ ...fused, encoders: [hf], projector });
      const run = (projector: Projector) =>
        withTower(plan(projector), all, (tower) => tower.run(randomPictures(tower.written.inputs, 1)));
      const wanted = (await run(same_of(sizes.width))).map((row) => formulas[kind]([...row]));
      expect(gap(await run({ kind, prefix: "proj." }), wanted)).toBeLessThan(1e-5);
    });
  }

  it("adds a linear projector's bias where the checkpoint has one", async () => {
    const shapes = { ...hfShapes("siglip_hf", "hf.", sizes), "proj.weight": [16, 24], "proj.bias": [16] };
    const all = randomCheckpoint(shapes, 9);
    const plan: TowerPlan = { ...fused, encoders: [hf], projector: { kind: "linear", prefix: "proj." } };
    const run = (from: typeof all) =>
      withTower(plan, from, (tower) => tower.run(randomPictures(tower.written.inputs, 1)));
    const biased = await run(all);
    const bias = all.get("proj.bias")!.data;
    const without = new Map(all);
    without.delete("proj.bias");
    const plain = await run(without);
    expect(gap(biased, plain.map((row) => row.map((value, i) => value + bias[i]!)))).toBeLessThan(1e-5);
  });
});
