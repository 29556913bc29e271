// A tower taken apart at its projector and put together again, for every projector and way of storing it.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
// The package is CommonJS: at run time its only export is the default one.
import proto from "onnx-proto";
import { cutProjector, type CutTensor } from "../../src/vision/onnx/projector_cut.ts";
import type { TowerPlan, TowerTensor } from "../../src/vision/onnx/tower_plan.ts";
import { writeTower } from "../../src/vision/onnx/write_tower.ts";
import { openVision } from "../../src/vision/vision.ts";
import { hfShapes, projectorShapes, randomCheckpoint } from "../model/tower_checkpoints.ts";

const width = 24, vector_width = 40, side_px = 16;
const sizes = { width, layers: 1, hidden: 32, patch_px: 4, grid: 4 };
const rgb = Uint8Array.from({ length: side_px * side_px * 3 }, (_, at) => at * 37 % 256);

async function run(model_path: string, floats: number): Promise<Float32Array> {
  const vision = await openVision({
    ...{ model_path, width_px: side_px, height_px: side_px, vector_width: floats, threads: 1, log() {} },
  });
  try {
    return await vision.encode(rgb);
  } finally {
    await vision.close();
  }
}

function farthest(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((far, value, at) => Math.max(far, Math.abs(value - b[at]!)), 0);
}

const kinds = [
  ["linear", "fp32", 0],
  ["gate_before", "fp32", 0],
  ["gate_after", "fp16", 1 << 24],
  ["relu", "int8", 1 << 24],
] as const;

describe("cutProjector()", () => {
  for (const [kind, weights, one_file_bytes_max] of kinds) {
    const place = one_file_bytes_max === 0 ? "beside the graph" : "inside the graph";
    it(`takes ${kind} out of a tower of ${weights}, stored ${place}, and puts another in`, async () => {
      const dir = await Deno.makeTempDir({ prefix: "gander-cut-" });
      try {
        const plan: TowerPlan = {
          encoders: [{ kind: "siglip_hf", prefix: "vit.", heads: 2 }],
          ...{ views: "whole", class_vector: "none", pooling: { kind: "adaptive", vectors: 4 } },
          projector: { kind, prefix: "proj." },
        };
        const shapes = {
          ...hfShapes("siglip_hf", "vit.", sizes),
          ...projectorShapes(kind, width, vector_width),
        };
        const checkpoint = randomCheckpoint(shapes, 1), other = randomCheckpoint(shapes, 2);
        const mixed = (name: string): TowerTensor | undefined =>
          (name.startsWith("proj.") ? other : checkpoint).get(name);
        const whole = join(dir, "whole.onnx"), wanted = join(dir, "wanted.onnx");
        const write = { weights, one_file_bytes_max };
        await writeTower(plan, (name) => checkpoint.get(name), whole, write);
        await writeTower(plan, mixed, wanted, write);

        const readExternal = async (location: string, offset: number, length: number) =>
          (await Deno.readFile(join(dir, location))).subarray(offset, offset + length);
        const cut = await cutProjector(await Deno.readFile(whole), readExternal);
        expect([cut.kind, cut.feature_width, cut.vectors]).toEqual([kind, width, 4]);
        const names = Object.keys(projectorShapes(kind, width, vector_width))
          .filter((name) => !(kind === "relu" && name === "proj.gate.weight"));
        expect([...cut.tensors.keys()].sort()).toEqual(names.sort());
        for (const [name, { dims, data }] of cut.tensors) {
          expect([name, dims]).toEqual([name, checkpoint.get(name)!.shape]);
          expect(farthest(data, checkpoint.get(name)!.data)).toBeLessThan(weights === "fp16" ? 1e-3 : 1e-9);
        }

        // Features are what the projector reads: here by a tower of the same encoder with a projector that does nothing.
        const alone = join(dir, "alone.onnx"), features = join(dir, "features.onnx");
        const same: CutTensor = {
          dims: [width, width],
          data: Float32Array.from({ length: width * width }, (_, at) => at % (width + 1) === 0 ? 1 : 0),
        };
        const identity = { shape: same.dims, read: () => Promise.resolve(same.data) };
        await writeTower(
          { ...plan, projector: { kind: "linear", prefix: "same." } },
          (name) =>
            name === "same.weight" ? identity : name.startsWith("same.") ? undefined : checkpoint.get(name),
          alone,
          write,
        );
        await Deno.writeFile(features, cut.features_model);
        expect(farthest(await run(features, width), await run(alone, width))).toBeLessThan(1e-6);

        const changed = new Map([...cut.tensors.keys()].map((name) => {
          const { shape, data } = other.get(name)!;
          return [name, { dims: shape, data }] as const;
        }));
        const rejoined = join(dir, "rejoined.onnx");
        await Deno.writeFile(rejoined, cut.rejoin(changed));
        const vectors = await run(rejoined, vector_width);
        expect(farthest(vectors, await run(wanted, vector_width))).toBeLessThan(1e-6);
        expect(farthest(vectors, await run(whole, vector_width))).toBeGreaterThan(0.01);
        changed.delete(names[0]!);
        expect(() => cut.rejoin(changed)).toThrow(`"${names[0]}" is [missing]`);
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    });
  }

  it("refuses a tower that ends in something else", async () => {
    const dir = await Deno.makeTempDir({ prefix: "gander-cut-" });
    try {
      const plan: TowerPlan = {
        encoders: [{ kind: "siglip_hf", prefix: "vit.", heads: 2 }],
        ...{ views: "whole", class_vector: "none", pooling: { kind: "adaptive", vectors: 4 } },
        projector: { kind: "linear", prefix: "proj." },
      };
      const shapes = {
        ...hfShapes("siglip_hf", "vit.", sizes),
        ...projectorShapes("linear", width, vector_width),
      };
      const checkpoint = randomCheckpoint(shapes, 1), path = join(dir, "whole.onnx");
      await writeTower(plan, (name) => checkpoint.get(name), path, { weights: "fp32" });
      const { ModelProto } = proto.onnx, model = ModelProto.decode(await Deno.readFile(path));
      model.graph!.node!.at(-1)!.opType = "Sigmoid";
      const cut = cutProjector(ModelProto.encode(model).finish(), () => Promise.reject(new Error("no file")));
      await expect(cut).rejects.toThrow("does not end in a projector that is known");
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
});
