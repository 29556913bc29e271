// Cases of tests/model/python/tower_cases.py on the side of ONNX Runtime: writes the graph of a plan, runs it, measures.
import * as ort from "onnxruntime-node";
import { join } from "node:path";
import { readSafetensorsHeader } from "../../src/model/safetensors.ts";
import type { TowerPlan, TowerTensors, WeightFormat } from "../../src/vision/onnx/tower_plan.ts";
import { writeTower } from "../../src/vision/onnx/write_tower.ts";
import { distance, readFloats } from "./python_cases.ts";

export interface TowerCase {
  name: string;
  weights: string;
  plan: TowerPlan;
  inputs: { side: number; file: string }[];
  frames: number;
  views: number;
  /** N, K, D. */
  shape: number[];
  wanted: string;
}

/** Tensors of a float32 safetensors file, read when asked for. */
export async function openTensors(path: string): Promise<TowerTensors> {
  const { tensors, data_offset } = await readSafetensorsHeader(path);
  return (name) => {
    const entry = tensors.get(name);
    if (entry === undefined) return undefined;
    return {
      shape: entry.shape,
      async read() {
        const bytes = new Uint8Array(entry.end - entry.start);
        using file = await Deno.open(path);
        await file.seek(data_offset + entry.start, Deno.SeekMode.Start);
        for (let done = 0; done < bytes.length;) {
          const count = await file.read(bytes.subarray(done));
          if (count === null) throw new Error(`${path} ends early`);
          done += count;
        }
        return new Float32Array(bytes.buffer);
      },
    };
  };
}

export interface TowerError {
  /** Largest difference, relative to the largest value. */
  relative: number;
  /** 1 is the same direction, over all numbers together. */
  cosine: number;
}

/** What the graph gives for the case's pictures, against what the reference gives. */
export async function measureTower(
  one: TowerCase,
  folder: string,
  weights: WeightFormat,
): Promise<TowerError> {
  const path = join(folder, `${weights}.onnx`);
  await writeTower(one.plan, await openTensors(one.weights), path, { weights });
  const session = await ort.InferenceSession.create(path, {
    intraOpNumThreads: 1,
    extra: { session: { "intra_op.allow_spinning": "0" } },
  });
  try {
    const feeds: Record<string, ort.Tensor> = {};
    for (const { side, file } of one.inputs) {
      const name = one.inputs.length === 1 ? "rgb" : `rgb_${side}`;
      const sizes = [one.frames * one.views, side, side, 3];
      feeds[name] = new ort.Tensor("uint8", await Deno.readFile(file), sizes);
    }
    const { vectors } = await session.run(feeds);
    if (vectors!.dims.join() !== one.shape.join()) {
      throw new Error(`${one.name}: [${vectors!.dims}], not [${one.shape}]`);
    }
    return compare(vectors!.data as Float32Array, await readFloats(one.wanted));
  } finally {
    await session.release();
  }
}

function compare(found: Float32Array, wanted: Float32Array): TowerError {
  const { worst, largest } = distance(found, wanted);
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const cosine = dot(found, wanted) / Math.sqrt(dot(found, found) * dot(wanted, wanted));
  return { relative: worst / largest, cosine };
}
