// What the importer asks of whoever can write a vision tower: a plan in words and numbers, and tensors to read. The
// shapes are those of src/vision/onnx, which satisfies this port without being imported; the fit is checked in
// src/cli. Types only.

interface EncoderFields {
  /** In front of the tensor names below, with its last dot. */
  prefix: string;
  /** Left out: those of the released towers of that width. */
  heads?: number;
}

export type Activation = "quick" | "erf" | "tanh";

export type EncoderPlan =
  /** Names of Hugging Face's CLIP and SigLIP. */
  | EncoderFields & { kind: "clip" | "siglip_hf"; image_px?: number; activation?: Activation }
  /** Names of timm. */
  | EncoderFields & { kind: "siglip_timm" | "dino_timm" }
  | EncoderFields & { kind: "sam" };

export type PoolingPlan =
  | { kind: "all" }
  /** torch's adaptive average pooling to `vectors` (a square number) cells. */
  | { kind: "adaptive"; vectors: number }
  /** v6.0's --grid_size. */
  | { kind: "grid"; grid_size: number };

export type ProjectorKind = "linear" | "gate_after" | "relu" | "gate_before";

export interface TowerPlan {
  encoders: readonly [EncoderPlan, ...EncoderPlan[]];
  views: "whole" | "whole_and_quarters";
  class_vector: "none" | "first" | "last";
  pooling: PoolingPlan;
  projector: { kind: ProjectorKind; prefix: string };
}

export interface TowerTensor {
  readonly shape: readonly number[];
  /** All of it. */
  read(): Promise<Float32Array>;
}

export type TowerTensors = (name: string) => TowerTensor | undefined;

export interface TowerOutline {
  /** Smallest first. */
  inputs: { name: string; width_px: number; height_px: number }[];
  /** K. */
  vectors: number;
  /** D. */
  vector_width: number;
  /** Side of the patch grid before pooling. */
  grid: number;
  weight_bytes: number;
  tensors_used: string[];
}

export type VisionWeights = "fp32" | "fp16" | "int8";

export interface TowerWriter {
  /** What the shapes tell; throws RangeError where the tensors do not make a tower. */
  outline(plan: TowerPlan, tensors: TowerTensors, weights: VisionWeights): TowerOutline;
  /** Writes the model file and, for large ones, data beside it. */
  write(
    plan: TowerPlan,
    tensors: TowerTensors,
    path: string,
    options: { weights: VisionWeights; onProgress?: (done_bytes: number, total_bytes: number) => void },
  ): Promise<{ files: { path: string; bytes: number; sha256: string }[] }>;
}
