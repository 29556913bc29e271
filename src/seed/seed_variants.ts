// Sizes of the built-in untrained models. Only numbers.
import { type ClipTowerShape, vectorsPerFrame } from "../vision/onnx/clip_tower.ts";
import type { RwkvSizes } from "./rwkv_weights.ts";

export type SeedVariant = "seed" | "tiny";

export interface SeedSizes {
  name: string;
  seed: number;
  tower: ClipTowerShape;
  rwkv: RwkvSizes;
  /** P(speak) at or above which a tick speaks; measured in reflex.ts. */
  speak_threshold: number;
}

const common = {
  patch_px: 16,
  class_token: true,
  pre_norm: true,
  post_norm: true,
  class_vector: false,
  mean: [0.5, 0.5, 0.5],
  std: [0.25, 0.25, 0.25],
  norm_epsilon: 1e-5,
} as const;

export const seed_variants: Record<SeedVariant, SeedSizes> = {
  /** What `gander demo` runs: about 2 M parameters, 10 MB. */
  seed: {
    name: "gander-seed",
    seed: 7,
    tower: {
      ...common,
      width_px: 112,
      height_px: 112,
      width: 96,
      layers: 2,
      heads: 3,
      mlp_width: 384,
      pool_rows: 2,
      pool_columns: 2,
      vector_width: 192,
    },
    rwkv: { width: 192, layers: 4, ranks: { w: 24, a: 24, v: 16, g: 32 } },
    speak_threshold: 0.4,
  },
  /** For soak tests: as little work per tick as the shapes allow. */
  tiny: {
    name: "gander-seed-tiny",
    seed: 11,
    tower: {
      ...common,
      width_px: 32,
      height_px: 32,
      width: 32,
      layers: 1,
      heads: 1,
      mlp_width: 64,
      pool_rows: 1,
      pool_columns: 2,
      vector_width: 64,
    },
    rwkv: { width: 64, layers: 2, ranks: { w: 8, a: 8, v: 8, g: 16 } },
    speak_threshold: 0.4,
  },
};

export function seedVectorsPerFrame(variant: SeedVariant): number {
  return vectorsPerFrame(seed_variants[variant].tower);
}
