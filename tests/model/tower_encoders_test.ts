// The encoders of src/vision/onnx by properties that hold for any weights. The numbers themselves are compared with
// torch in the parity tests, CLIP's also here with plain loops.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import type { Encoder, TowerPlan } from "../../src/vision/onnx/tower_plan.ts";
import { referenceTower } from "./reference_tower.ts";
import {
  type Checkpoint,
  hfShapes,
  projectorShapes,
  randomCheckpoint,
  same_of,
  samShapes,
  timmShapes,
} from "./tower_checkpoints.ts";
import { gap, randomPictures, withTower } from "./tower_runs.ts";
import type { ClipTowerShape } from "../../src/vision/onnx/clip_tower.ts";

const sizes = { width: 24, layers: 2, hidden: 40, patch_px: 4, grid: 6 };
const bare = {
  views: "whole",
  class_vector: "none",
  pooling: { kind: "all" },
} as const;

function alone(encoder: Encoder): TowerPlan {
  // The neck's 8 channels of 2 x 2 patches, or the width of the rest.
  const width = encoder.kind === "sam" ? 32 : sizes.width;
  return { ...bare, encoders: [encoder], projector: same_of(width) };
}

async function vectorsOf(plan: TowerPlan, checkpoint: Checkpoint, seed = 1): Promise<Float32Array[]> {
  return await withTower(
    plan,
    checkpoint,
    ({ written, run }) => run(randomPictures(written.inputs, 1, seed)),
  );
}

/** The same weights but one tensor. */
function changed(checkpoint: Checkpoint, name: string): Checkpoint {
  const { shape, data } = checkpoint.get(name)!;
  const other = data.map((value, index) => value + 0.1 * (1 + index % 3));
  return new Map(checkpoint).set(name, { shape, data: other, read: () => Promise.resolve(other) });
}

describe("CLIP", () => {
  const checkpoint = randomCheckpoint(
    { ...hfShapes("clip", "vit.", sizes), ...projectorShapes("linear", sizes.width, 16) },
    1,
  );
  const clip: Encoder = { kind: "clip", prefix: "vit.", heads: 3 };
  const plan = (class_vector: "none" | "first" | "last", grid_size = -1): TowerPlan => ({
    ...alone(clip),
    class_vector,
    pooling: { kind: "grid", grid_size },
    projector: { kind: "linear", prefix: "proj." },
  });
  const shape: ClipTowerShape = {
    width_px: 24,
    height_px: 24,
    patch_px: 4,
    width: 24,
    layers: 2,
    heads: 3,
    mlp_width: 40,
    class_token: true,
    pre_norm: true,
    post_norm: false,
    pool_rows: 6,
    pool_columns: 6,
    class_vector: true,
    vector_width: 16,
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
    norm_epsilon: 1e-5,
  };
  const weight = (name: string) => checkpoint.get(name.startsWith("proj.") ? name : `vit.${name}`)?.data;

  for (const [grid_size, cells] of [[-1, 6], [2, 2], [3, 3], [1, 1]]) {
    it(`agrees with plain loops, class vector last, grid size ${grid_size}`, () =>
      withTower(plan("last", grid_size), checkpoint, async ({ written, run }) => {
        const pictures = randomPictures(written.inputs, 1);
        const wanted = referenceTower(
          { ...shape, pool_rows: cells, pool_columns: cells },
          weight,
          pictures.rgb!,
        );
        const found = await run(pictures);
        expect(found.length).toBe(cells ** 2 + 1);
        expect(gap([Float32Array.from(found.flatMap((row) => [...row]))], [wanted])).toBeLessThan(1e-5);
      }));
  }

  it("has the class vector first, last, alone, or not at all", async () => {
    const last = await vectorsOf(plan("last"), checkpoint);
    const first = await vectorsOf(plan("first"), checkpoint);
    expect(gap(first, [last.at(-1)!, ...last.slice(0, -1)])).toBeLessThan(1e-6);
    expect(gap(await vectorsOf(plan("last", 0), checkpoint), [last.at(-1)!])).toBeLessThan(1e-6);
    expect(gap(await vectorsOf(plan("none"), checkpoint), last.slice(0, -1))).toBeLessThan(1e-6);
  });

  it("leaves post_layernorm out unless asked, and can leave out the last block", async () => {
    const other = changed(checkpoint, "vit.post_layernorm.weight");
    expect(gap(await vectorsOf(alone(clip), other), await vectorsOf(alone(clip), checkpoint))).toBe(0);
    const normed = alone({ ...clip, post_norm: true });
    expect(gap(await vectorsOf(normed, other), await vectorsOf(normed, checkpoint))).toBeGreaterThan(0.01);
    const cut = alone({ ...clip, skip_blocks: 1 });
    const last_block = changed(checkpoint, "vit.encoder.layers.1.mlp.fc2.weight");
    expect(gap(await vectorsOf(cut, last_block), await vectorsOf(cut, checkpoint))).toBe(0);
    expect(gap(await vectorsOf(alone(clip), last_block), await vectorsOf(alone(clip), checkpoint)))
      .toBeGreaterThan(0.01);
  });
});

describe("SigLIP and DINOv2", () => {
  it("stop before timm's last block and final norm", async () => {
    for (const kind of ["siglip_timm", "dino_timm"] as const) {
      const checkpoint = randomCheckpoint(timmShapes(kind, "v.", sizes), 2);
      const plan = alone({ kind, prefix: "v.", heads: 2 });
      const vectors = await vectorsOf(plan, checkpoint);
      expect(vectors.length).toBe(36);
      for (const dead of ["v.blocks.1.attn.qkv.weight", "v.norm.weight"]) {
        expect(gap(await vectorsOf(plan, changed(checkpoint, dead)), vectors)).toBe(0);
      }
      const alive = ["v.blocks.0.attn.qkv.bias", "v.pos_embed", "v.patch_embed.proj.bias"];
      if (kind === "dino_timm") {
        alive.push("v.cls_token", "v.reg_token", "v.blocks.0.ls1.gamma", "v.blocks.0.ls2.gamma");
      }
      for (const name of alive) {
        expect(gap(await vectorsOf(plan, changed(checkpoint, name)), vectors)).toBeGreaterThan(1e-4);
      }
    }
  });

  it("take the exact or the approximate GELU", async () => {
    const checkpoint = randomCheckpoint(timmShapes("siglip_timm", "v.", sizes), 2);
    const encoder: Encoder = { kind: "siglip_timm", prefix: "v.", heads: 2 };
    const exact = await vectorsOf(alone(encoder), checkpoint);
    const near = gap(await vectorsOf(alone({ ...encoder, activation: "tanh" }), checkpoint), exact);
    expect(near).toBeGreaterThan(1e-6);
    expect(near).toBeLessThan(1e-2);
  });

  it("run Hugging Face's post_layernorm, and see a picture whose last pixels fit no patch", async () => {
    const checkpoint = randomCheckpoint(hfShapes("siglip_hf", "", sizes), 3);
    const encoder: Encoder = { kind: "siglip_hf", prefix: "", heads: 2 };
    const vectors = await vectorsOf(alone(encoder), checkpoint);
    const other = changed(checkpoint, "post_layernorm.bias");
    expect(gap(await vectorsOf(alone(encoder), other), vectors)).toBeGreaterThan(0.01);
    await withTower(alone({ ...encoder, image_px: 27 }), checkpoint, async ({ written, run }) => {
      expect(written.inputs).toEqual([{ name: "rgb", width_px: 27, height_px: 27, views: 1 }]);
      expect((await run(randomPictures(written.inputs, 1))).length).toBe(36);
    });
  });
});

describe("SAM", () => {
  const sam_sizes = { width: 16, layers: 2, hidden: 24, patch_px: 4, grid: 8 };
  const make = (everywhere: number[]) =>
    randomCheckpoint(samShapes("s.", sam_sizes, { window: 3, everywhere, neck: 8, heads: 2 }), 4);
  const plan = alone({ kind: "sam", prefix: "s." });
  /** Vectors that differ when the first patch is another one. */
  const reach = (checkpoint: Checkpoint, options = {}) =>
    withTower(plan, checkpoint, async ({ written, run }) => {
      const pictures = randomPictures(written.inputs, 1);
      const before = await run(pictures);
      for (let y = 0; y < 4; y++) pictures.rgb!.fill(0, y * 32 * 3, y * 32 * 3 + 12);
      const after = await run(pictures);
      return before.flatMap((row, index) =>
        row.every((value, i) => value === after[index][i]) ? [] : [index]
      );
    }, options);

  it("looks into windows, or everywhere", async () => {
    // Windows of 3 patches, one more by the neck's convolution: 4 patches, which are 2 of 4 cells.
    expect(await reach(make([]))).toEqual([0, 1, 4, 5]);
    expect((await reach(make([1]))).length).toBe(16);
  });

  it("is the same when scores are computed in pieces", async () => {
    const checkpoint = make([1]);
    const whole = await vectorsOf(plan, checkpoint);
    for (const scores_bytes_max of [4 * 2 * 64 * 64 / 2, 4 * 2 * 64 * 5, 1]) {
      await withTower(plan, checkpoint, async ({ written, run }) => {
        expect(gap(await run(randomPictures(written.inputs, 1)), whole)).toBeLessThan(1e-6);
      }, { scores_bytes_max });
    }
  });

  it("puts row and column of a cell's patches next to each other in its channels", async () => {
    // With a neck whose last norm gives its bias only, channel c of every patch is bias[c].
    const checkpoint = make([1]);
    const gain = checkpoint.get("s.neck.3.weight")!;
    const zero = gain.data.map(() => 0);
    checkpoint.set("s.neck.3.weight", { ...gain, data: zero, read: () => Promise.resolve(zero) });
    const bias = checkpoint.get("s.neck.3.bias")!.data;
    const [vector] = await vectorsOf(plan, checkpoint);
    expect([...vector]).toEqual([...bias].flatMap((value) => [value, value, value, value]));
  });

  it("adds relative positions of both directions", async () => {
    const checkpoint = make([1]);
    const vectors = await vectorsOf(plan, checkpoint);
    for (const name of ["s.blocks.0.attn.rel_pos_h", "s.blocks.1.attn.rel_pos_w", "s.pos_embed"]) {
      expect(gap(await vectorsOf(plan, changed(checkpoint, name)), vectors)).toBeGreaterThan(1e-4);
    }
  });
});
