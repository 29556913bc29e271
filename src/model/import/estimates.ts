// What a bundle will take of memory and time, before anybody has loaded it. Estimates say so; must not know files.
import { stateBytes } from "../rwkv_header.ts";
import type { WrittenType } from "./safetensors_writer.ts";
import type { LanguageSizes } from "./language_sizes.ts";
import type { FoundEncoder } from "./towers.ts";
import type { VisionWeights } from "./tower_port.ts";

export interface MemoryEstimate {
  /** Weights of the language model (and compressor) as the native library holds them. */
  weights_bytes: number;
  /** The vision worker, about. */
  vision_bytes: number;
  /** Of one state; src/cli/serve_memory.ts counts them. */
  state_bytes: number;
}

/** Measured with ViT-L/14-336: 1.2 GB of float32 took 2.2 GB, 0.3 GB of int8 0.8 GB. */
const vision_overhead = 1.8;

export interface HeldTensor {
  type: WrittenType;
  elements: number;
}

/** `vision_file_bytes`: weights in the tower's file; a processor computes fp16 towers in float32. */
export function estimateMemory(
  sizes: LanguageSizes,
  weights: readonly HeldTensor[],
  vision_file_bytes: number,
  vision_weights: VisionWeights,
): MemoryEstimate {
  const weights_bytes = weights.reduce(
    (sum, { type, elements }) => sum + elements * (type === "f32" ? 4 : 2),
    0,
  );
  const widened = vision_weights === "fp16" ? 2 * vision_file_bytes : vision_file_bytes;
  const vision_bytes = Math.round(widened * vision_overhead);
  return { weights_bytes, vision_bytes, state_bytes: stateBytes(sizes) };
}

/**
 * Floating-point operations of the encoders: matrices and attention, a multiplication and an addition each. `pictures`:
 * what goes through them for one picture, views or tiles.
 */
export function visionOperations(encoders: readonly FoundEncoder[], pictures: number): number {
  return pictures * encoders.reduce((sum, encoder) => {
    const { kind, width, hidden, grid, layers_run, layers_global } = encoder;
    const tokens = grid * grid + (kind === "clip" ? 1 : kind === "dino_timm" ? 5 : 0);
    const matrices = 2 * tokens * (4 * width * width + 2 * width * hidden);
    return sum + layers_run * matrices + layers_global * 4 * tokens * tokens * width;
  }, 0);
}

/** Of the blocks of a token compressor: every matrix, for every vector of the tower. */
export function compressorOperations(parameters: number, vectors: number): number {
  return 2 * parameters * vectors;
}

/** Of the language model for `positions`; every matrix but the embedding and, except at the last one, the head. */
export function prefillOperations(
  { vocab, width }: LanguageSizes,
  parameters: number,
  positions: number,
): number {
  return 2 * positions * (parameters - 2 * vocab * width) + 2 * vocab * width;
}
