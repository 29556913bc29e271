// What src/vision/onnx writes: one file or two, the weight formats, and what it refuses.
import { expect } from "@std/expect";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import type { TowerPlan, TowerTensors } from "../../src/vision/onnx/tower_plan.ts";
import { outlineTower, writeTower } from "../../src/vision/onnx/write_tower.ts";
import { lookup } from "./tower_checkpoints.ts";
import { checkpoint, dino, feature_width, fused, projected } from "./tower_miniatures.ts";
import { gap, randomPictures, withTower } from "./tower_runs.ts";
import { withFolder } from "./towers.ts";

describe("writeTower(): formats and files", () => {
  const frames = randomPictures([
    { name: "rgb_16", width_px: 16, height_px: 16, views: 1 },
    { name: "rgb_32", width_px: 32, height_px: 32, views: 1 },
  ], 1);
  let exact: Float32Array[];
  beforeAll(async () => {
    exact = await withTower(projected, checkpoint, ({ run }) => run(frames));
  });

  it("gives the same bits from one file and from two, and says what it wrote", () =>
    withFolder(async (dir) => {
      const progress: [number, number][] = [];
      const path = join(dir, "vision.onnx");
      const written = await writeTower(projected, lookup(checkpoint), path, {
        weights: "fp32",
        one_file_bytes_max: 0,
        onProgress: (...now) => progress.push(now),
      });
      expect(written.files.map((file) => basename(file.path))).toEqual(["vision.onnx", "vision.onnx.data"]);
      expect([...Deno.readDirSync(dir)].map(({ name }) => name).sort()).toEqual([
        "vision.onnx",
        "vision.onnx.data",
      ]);
      for (const file of written.files) {
        const bytes = await Deno.readFile(file.path);
        expect(bytes.byteLength).toBe(file.bytes);
        expect(createHash("sha256").update(bytes).digest("hex")).toBe(file.sha256);
      }
      expect(progress.at(-1)).toEqual([written.weight_bytes, written.weight_bytes]);
      expect(progress.every(([done], index) => index === 0 || done > progress[index - 1]![0])).toBe(true);
      await withTower(projected, checkpoint, async ({ run, written: { files } }) => {
        expect(files.length).toBe(2);
        expect(gap(await run(frames), exact)).toBe(0);
      }, { one_file_bytes_max: 0 });
    }));

  it("reads every tensor once, one after the other, and none that is dead", async () => {
    const reads: string[] = [];
    let open = 0;
    const counted: TowerTensors = (name) => {
      const tensor = checkpoint.get(name);
      return tensor && {
        shape: tensor.shape,
        read: async () => {
          reads.push(name);
          expect(++open).toBe(1);
          await Promise.resolve();
          open--;
          return tensor.data;
        },
      };
    };
    await withFolder(async (dir) => {
      const { tensors_used } = await writeTower(projected, counted, join(dir, "x.onnx"), { weights: "fp32" });
      expect(new Set(reads).size).toBe(reads.length);
      expect([...tensors_used].sort()).toEqual([...reads].sort());
      const unused = [...checkpoint.keys()].filter((name) => !reads.includes(name));
      expect(unused.filter((name) => !/^(dino|siglip)\.(norm\.|blocks\.1\.)|^hf\./.test(name))).toEqual([]);
      expect(unused.length).toBeGreaterThan(20);
    });
  });

  it("halves the file as fp16, and stays close", () =>
    withTower(projected, checkpoint, async ({ run, written }) => {
      const { weight_bytes } = outlineTower(projected, lookup(checkpoint), "fp32");
      // What is no matrix keeps its 4 bytes.
      expect(written.weight_bytes).toBeLessThan(weight_bytes * 0.75);
      const off = gap(await run(frames), exact);
      expect(off).toBeGreaterThan(0);
      expect(off).toBeLessThan(5e-3);
    }, { weights: "fp16", one_file_bytes_max: 0 }));

  it("stays near as int8", () =>
    withTower(projected, checkpoint, async ({ run, written }) => {
      const { weight_bytes } = outlineTower(projected, lookup(checkpoint), "fp32");
      expect(written.weight_bytes).toBeLessThan(weight_bytes * 0.75);
      const found = (await run(frames)).flatMap((row) => [...row]),
        wanted = exact.flatMap((row) => [...row]);
      const dot = (a: number[], b: number[]) => a.reduce((sum, value, index) => sum + value * b[index]!, 0);
      const cosine = dot(found, wanted) / Math.sqrt(dot(found, found) * dot(wanted, wanted));
      expect(cosine).toBeGreaterThan(0.998);
      expect(cosine).toBeLessThan(1 - 1e-6);
    }, { weights: "int8" }));
});

describe("writeTower(): refusals", () => {
  const outline = (plan: TowerPlan, tensors = lookup(checkpoint)) => () =>
    outlineTower(plan, tensors, "fp32");
  const shaped = (name: string, shape: number[] | undefined): TowerTensors => (asked) => {
    if (asked !== name) return checkpoint.get(asked);
    return shape && { shape, read: () => Promise.resolve(new Float32Array()) };
  };
  const single = (encoder: TowerPlan["encoders"][0]): TowerPlan => ({ ...fused, encoders: [encoder] });

  it("names the tensor that is missing or has another shape", () => {
    for (
      const name of [
        "dino.pos_embed",
        "sam.neck.2.weight",
        "siglip.blocks.0.attn.proj.bias",
        "proj.ln_v.bias",
      ]
    ) {
      expect(outline(projected, shaped(name, undefined))).toThrow(`needs the tensor "${name}"`);
    }
    expect(outline(projected, shaped("dino.blocks.0.attn.qkv.weight", [71, 24]))).toThrow(
      "shape [71, 24], not [72, 24]",
    );
    expect(outline(projected, shaped("dino.blocks.0.attn.qkv.bias", [71]))).toThrow(
      '"dino.blocks.0.attn.qkv.bias" has the shape [71], not [72]',
    );
    expect(outline(projected, shaped("dino.pos_embed", [1, 15, 24]))).toThrow("15 positions");
    expect(outline(projected, shaped("dino.pos_embed", [1, 97 ** 2, 24]))).toThrow(
      "97 x 97 patches is larger than 96",
    );
    expect(outline(projected, shaped("sam.blocks.0.attn.rel_pos_h", [4, 8]))).toThrow("fits no window");
    expect(outline(projected, shaped("sam.blocks.0.attn.rel_pos_w", [7, 8]))).toThrow(
      "has the shape [7, 8], not [5, 8]",
    );
    expect(outline(projected, shaped("proj.gate.weight", [3, feature_width]))).toThrow(
      "shape [3, 88], not [88, 88]",
    );
    expect(outline(single({ ...dino, prefix: "vit." }))).toThrow('needs the tensor "vit.pos_embed"');
  });

  it("says why a plan does not go together", () => {
    expect(outline(single({ ...dino, heads: 5 }))).toThrow(
      'Width 24 of "dino." does not divide into 5 heads',
    );
    expect(outline(single({ ...dino, skip_blocks: 2 }))).toThrow("Of 2 blocks");
    expect(outline(single({ ...dino, image_px: 20 }))).toThrow("A picture of 20 pixels in patches of 4");
    expect(outline({ ...fused, class_vector: "last" })).toThrow("A class vector needs one encoder");
    expect(outline({ ...fused, pooling: { kind: "grid", grid_size: 0 } })).toThrow("leaves nothing");
    expect(outline({ ...fused, pooling: { kind: "adaptive", vectors: 8 } })).toThrow(
      "must be a square number",
    );
  });

  it("refuses values that are no numbers or too large for the format, and leaves no file behind", () =>
    withFolder(async (dir) => {
      for (
        const [value, weights, message] of [
          [NaN, "fp32", '"dino.blocks.0.mlp.fc1.weight" holds NaN'],
          [-7e4, "fp16", '"dino.blocks.0.mlp.fc1.weight" holds -70000, and float16 ends at 65504'],
        ] as const
      ) {
        const name = "dino.blocks.0.mlp.fc1.weight";
        const { shape, data } = checkpoint.get(name)!;
        const bad = data.slice().fill(value, 7, 8);
        const tensors: TowerTensors = (asked) =>
          asked === name ? { shape, read: () => Promise.resolve(bad) } : checkpoint.get(asked);
        const writing = writeTower(projected, tensors, join(dir, "vision.onnx"), {
          weights,
          one_file_bytes_max: 0,
        });
        await expect(writing).rejects.toThrow(message);
        expect([...Deno.readDirSync(dir)]).toEqual([]);
      }
    }));

  it("passes on what reading a tensor says", () =>
    withFolder(async (dir) => {
      const tensors: TowerTensors = (name) => {
        const tensor = checkpoint.get(name);
        return tensor && { shape: tensor.shape, read: () => Promise.reject(new Error("the disk is gone")) };
      };
      const writing = writeTower(projected, tensors, join(dir, "vision.onnx"), { weights: "fp32" });
      await expect(writing).rejects.toThrow("the disk is gone");
      expect([...Deno.readDirSync(dir)]).toEqual([]);
    }));
});
