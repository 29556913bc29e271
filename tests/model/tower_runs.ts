// Writes a miniature tower and runs it, for the tests of this folder. Must not know what towers compute.
import * as ort from "onnxruntime-node";
import { join } from "node:path";
import { randomStream } from "../../src/random.ts";
import type { TowerInput, TowerPlan, WriteOptions, WrittenTower } from "../../src/vision/onnx/tower_plan.ts";
import { writeTower } from "../../src/vision/onnx/write_tower.ts";
import { type Checkpoint, lookup } from "./tower_checkpoints.ts";
import { withFolder } from "./towers.ts";

/** By name of the input: pictures one behind the other. */
export type Pictures = Record<string, Uint8Array>;

export interface OpenTower {
  written: WrittenTower;
  /** Vector i of frame n is row n K + i. */
  run(pictures: Pictures): Promise<Float32Array[]>;
}

/** A tower for the time of `body`. */
export async function withTower<T>(
  plan: TowerPlan,
  checkpoint: Checkpoint,
  body: (tower: OpenTower) => Promise<T>,
  options: Partial<WriteOptions> = {},
): Promise<T> {
  let result: T;
  await withFolder(async (dir) => {
    const path = join(dir, "vision.onnx");
    const written = await writeTower(plan, lookup(checkpoint), path, { weights: "fp32", ...options });
    const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 4 });
    try {
      result = await body({ written, run: (pictures) => run(session, written, pictures) });
    } finally {
      await session.release();
    }
  });
  return result!;
}

async function run(
  session: ort.InferenceSession,
  { inputs, vectors, vector_width }: WrittenTower,
  pictures: Pictures,
): Promise<Float32Array[]> {
  let frames = 0;
  const feeds = Object.fromEntries(inputs.map(({ name, width_px, height_px, views }) => {
    const count = pictures[name]!.length / (width_px * height_px * 3);
    frames = count / views;
    return [name, new ort.Tensor("uint8", pictures[name]!, [count, height_px, width_px, 3])];
  }));
  const output = (await session.run(feeds)).vectors!;
  const shape = [frames, vectors, vector_width];
  if (`${output.dims}` !== `${shape}`) throw new Error(`the output is [${output.dims}], not [${shape}]`);
  const data = new Float32Array(output.data as Float32Array);
  return Array.from(
    { length: frames * vectors },
    (_, row) => data.subarray(row * vector_width, (row + 1) * vector_width),
  );
}

/** Pseudo-random pixels for every input of `frames` frames. */
export function randomPictures(inputs: readonly TowerInput[], frames: number, seed = 1): Pictures {
  return Object.fromEntries(inputs.map(({ name, width_px, height_px, views }) => {
    const next = randomStream(seed, name);
    return [
      name,
      Uint8Array.from({ length: frames * views * width_px * height_px * 3 }, () => 127.5 + 127.5 * next()),
    ];
  }));
}

/** The largest difference, relative to the largest number wanted; Infinity where something is not finite. */
export function gap(found: readonly Float32Array[], wanted: readonly ArrayLike<number>[]): number {
  if (found.length !== wanted.length || found.length === 0) return Infinity;
  let worst = 0, largest = 0;
  for (const [row, values] of wanted.entries()) {
    if (found[row].length !== values.length) return Infinity;
    for (let index = 0; index < values.length; index++) {
      const off = Math.abs(found[row][index] - values[index]);
      if (!Number.isFinite(off)) return Infinity;
      worst = Math.max(worst, off);
      largest = Math.max(largest, Math.abs(values[index]));
    }
  }
  return worst / largest;
}
