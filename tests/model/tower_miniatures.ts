// One checkpoint with four miniature encoders and a projector, and plans over it, for the tests of this folder.
import type { TowerPlan } from "../../src/vision/onnx/tower_plan.ts";
import {
  hfShapes,
  projectorShapes,
  randomCheckpoint,
  same_of,
  samShapes,
  timmShapes,
} from "./tower_checkpoints.ts";

/** The common side of the encoders: 4 x 4 patches. */
export const sizes = { width: 24, layers: 2, hidden: 40, patch_px: 4, grid: 4 };
export const feature_width = 24 + 32 + 4 * 8;
export const vector_width = 16;
export const checkpoint = randomCheckpoint({
  ...timmShapes("dino_timm", "dino.", sizes),
  ...timmShapes("siglip_timm", "siglip.", { ...sizes, width: 32 }),
  ...samShapes("sam.", { ...sizes, width: 16, grid: 8 }, { window: 3, everywhere: [1], neck: 8, heads: 2 }),
  ...hfShapes("siglip_hf", "hf.", sizes),
  ...projectorShapes("gate_before", feature_width, vector_width),
}, 7);
export const dino = { kind: "dino_timm", prefix: "dino.", heads: 2 } as const;
export const siglip = { kind: "siglip_timm", prefix: "siglip.", heads: 2 } as const;
export const sam = { kind: "sam", prefix: "sam." } as const;
/** Features as they are. */
export const fused: TowerPlan = {
  encoders: [dino, siglip, sam],
  views: "whole",
  class_vector: "none",
  pooling: { kind: "all" },
  projector: same_of(feature_width),
};
export const projected: TowerPlan = { ...fused, projector: { kind: "gate_before", prefix: "proj." } };
