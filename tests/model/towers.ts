// Small random towers on disk for the tests of this folder.
import { join } from "node:path";
import { randomTower } from "../../src/seed/tower_weights.ts";
import {
  buildClipTower,
  type ClipTowerShape,
  vectorsPerFrame,
  type WeightLookup,
} from "../../src/vision/onnx/clip_tower.ts";
import { type OnnxVision, openVision, type VisionOptions } from "../../src/vision/vision.ts";

export const small_tower: ClipTowerShape = {
  width_px: 40,
  height_px: 24,
  patch_px: 8,
  width: 24,
  layers: 2,
  heads: 3,
  mlp_width: 40,
  class_token: true,
  pre_norm: true,
  post_norm: true,
  pool_rows: 2,
  pool_columns: 2,
  class_vector: true,
  vector_width: 32,
  mean: [0.48, 0.46, 0.41],
  std: [0.27, 0.26, 0.28],
  norm_epsilon: 1e-5,
};

/** Random gains and biases, too: the seed model's norms are 1 and 0 and would hide mistakes. */
export function liveTower(shape: ClipTowerShape, seed: number): WeightLookup {
  const plain = randomTower(shape, seed);
  return (name) => {
    const data = name === "proj.bias" ? new Float32Array(shape.vector_width) : plain(name);
    return /norm\w*\.(weight|bias)$|proj\.bias$/.test(name)
      ? data!.map((value, index) => value + 0.2 * Math.sin(index + name.length))
      : data;
  };
}

/** A folder that is removed afterwards. */
export async function withFolder(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "gander-model-test-" });
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

export async function writeTower(
  dir: string,
  shape: ClipTowerShape,
  weights = liveTower(shape, 1),
): Promise<string> {
  const path = join(dir, "vision.onnx");
  await Deno.writeFile(path, buildClipTower(shape, weights));
  return path;
}

/** Options of one thread on the CPU, with a silent log. */
export function visionOptions(model_path: string, shape: ClipTowerShape): VisionOptions {
  return {
    model_path,
    width_px: shape.width_px,
    height_px: shape.height_px,
    vectors_per_frame: vectorsPerFrame(shape),
    vector_width: shape.vector_width,
    threads: 1,
    providers: ["cpu"],
    log: () => {},
  };
}

/** A tower of that shape, open; closed and gone afterwards. */
export function withVision(
  shape: ClipTowerShape,
  body: (vision: OnnxVision, dir: string) => Promise<void>,
  more: Partial<VisionOptions> = {},
): Promise<void> {
  return withFolder(async (dir) => {
    const vision = await openVision({ ...visionOptions(await writeTower(dir, shape), shape), ...more });
    try {
      await body(vision, dir);
    } finally {
      await vision.close();
    }
  });
}

/** A frame of pseudo-random pixels. */
export function frame(shape: ClipTowerShape, seed: number): Uint8Array {
  let state = seed | 1;
  return Uint8Array.from({ length: shape.width_px * shape.height_px * 3 }, () => {
    state = Math.imul(state, 1664525) + 1013904223 | 0;
    return state >>> 24;
  });
}
