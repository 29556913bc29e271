// Checkpoints of miniature towers for the tests of this folder: names of the released models, small sizes, random
// weights. Must not know graphs.
import { uniform } from "../../src/random.ts";
import type { TowerTensor, TowerTensors } from "../../src/vision/onnx/tower_plan.ts";

type Shapes = Record<string, readonly number[]>;

export interface MiniatureSizes {
  width: number;
  layers: number;
  hidden: number;
  patch_px: number;
  grid: number;
}

function linear(name: string, out: number, width_in: number, biased = true): Shapes {
  return { [`${name}.weight`]: [out, width_in], ...(biased && { [`${name}.bias`]: [out] }) };
}

function norm(name: string, width: number): Shapes {
  return { [`${name}.weight`]: [width], [`${name}.bias`]: [width] };
}

function prefixed(prefix: string, shapes: Shapes): Shapes {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [prefix + name, shape]));
}

/** Hugging Face's CLIP, or SigLIP without the class token and the first norm. */
export function hfShapes(
  kind: "clip" | "siglip_hf",
  prefix: string,
  { width, layers, hidden, patch_px, grid }: MiniatureSizes,
): Shapes {
  const clip = kind === "clip";
  const shapes: Shapes = {
    "embeddings.patch_embedding.weight": [width, 3, patch_px, patch_px],
    "embeddings.position_embedding.weight": [grid * grid + (clip ? 1 : 0), width],
    ...(clip
      ? { "embeddings.class_embedding": [width], ...norm("pre_layrnorm", width) }
      : { "embeddings.patch_embedding.bias": [width] }),
    ...norm("post_layernorm", width),
  };
  for (let layer = 0; layer < layers; layer++) {
    const at = `encoder.layers.${layer}.`;
    for (const part of "qkv") Object.assign(shapes, linear(`${at}self_attn.${part}_proj`, width, width));
    Object.assign(shapes, linear(`${at}self_attn.out_proj`, width, width));
    Object.assign(shapes, norm(`${at}layer_norm1`, width), norm(`${at}layer_norm2`, width));
    Object.assign(shapes, linear(`${at}mlp.fc1`, hidden, width), linear(`${at}mlp.fc2`, width, hidden));
  }
  return prefixed(prefix, shapes);
}

function timmBlock(at: string, width: number, hidden: number, first: string, second: string): Shapes {
  return {
    ...norm(`${at}norm1`, width),
    ...linear(`${at}attn.qkv`, 3 * width, width),
    ...linear(`${at}attn.proj`, width, width),
    ...norm(`${at}norm2`, width),
    ...linear(`${at}mlp.${first}`, hidden, width),
    ...linear(`${at}mlp.${second}`, width, hidden),
  };
}

/** SigLIP, or DINOv2 with four registers. */
export function timmShapes(
  kind: "siglip_timm" | "dino_timm",
  prefix: string,
  { width, layers, hidden, patch_px, grid }: MiniatureSizes,
): Shapes {
  const dino = kind === "dino_timm";
  const shapes: Shapes = {
    "pos_embed": [1, grid * grid, width],
    "patch_embed.proj.weight": [width, 3, patch_px, patch_px],
    "patch_embed.proj.bias": [width],
    ...(dino && { cls_token: [1, 1, width], reg_token: [1, 4, width] }),
    ...norm("norm", width),
  };
  for (let layer = 0; layer < layers; layer++) {
    Object.assign(shapes, timmBlock(`blocks.${layer}.`, width, hidden, "fc1", "fc2"));
    if (!dino) continue;
    shapes[`blocks.${layer}.ls1.gamma`] = [width];
    shapes[`blocks.${layer}.ls2.gamma`] = [width];
  }
  return prefixed(prefix, shapes);
}

/** `everywhere`: the blocks that are not windowed. */
export function samShapes(
  prefix: string,
  { width, layers, hidden, patch_px, grid }: MiniatureSizes,
  { window, everywhere, neck, heads }: { window: number; everywhere: number[]; neck: number; heads: number },
): Shapes {
  const shapes: Shapes = {
    "pos_embed": [1, grid, grid, width],
    "patch_embed.proj.weight": [width, 3, patch_px, patch_px],
    "patch_embed.proj.bias": [width],
    "neck.0.weight": [neck, width, 1, 1],
    ...norm("neck.1", neck),
    "neck.2.weight": [neck, neck, 3, 3],
    ...norm("neck.3", neck),
  };
  for (let layer = 0; layer < layers; layer++) {
    Object.assign(shapes, timmBlock(`blocks.${layer}.`, width, hidden, "lin1", "lin2"));
    const rows = 2 * (everywhere.includes(layer) ? grid : window) - 1;
    shapes[`blocks.${layer}.attn.rel_pos_h`] = [rows, width / heads];
    shapes[`blocks.${layer}.attn.rel_pos_w`] = [rows, width / heads];
  }
  return prefixed(prefix, shapes);
}

export function projectorShapes(kind: string, width_in: number, width: number): Shapes {
  const plain = (name: string, out: number, from: number) => linear(name, out, from, false);
  const after = {
    ...plain("proj", width, width_in),
    ...plain("gate", width, width),
    ...plain("o_proj", width, width),
  };
  const all: Record<string, Shapes> = {
    linear: { weight: [width, width_in] },
    gate_after: after,
    relu: after,
    gate_before: {
      ...plain("gate", width_in, width_in),
      ...plain("o_proj", width, width_in),
      ...norm("ln_v", width),
    },
  };
  return prefixed("proj.", all[kind]!);
}

export type Checkpoint = Map<string, TowerTensor & { data: Float32Array }>;

/** Matrices that keep the size of what they multiply; gains around 1. */
export function randomCheckpoint(shapes: Shapes, seed: number): Checkpoint {
  return new Map(
    Object.entries(shapes).map(([name, shape]) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const inside = count / shape[0]!;
      const gain = /norm\w*\.weight$|neck\.[13]\.weight$|ln_v\.weight$|gamma$/.test(name);
      const spread = shape.length >= 2 && name.endsWith("weight") ? inside ** -0.5 : 0.2;
      const data = uniform(seed, name, count, spread).map((value) => gain ? 1 + value : value);
      return [name, { shape, data, read: () => Promise.resolve(data) }];
    }),
  );
}

/** A projector that changes nothing: features as they are, bit for bit. Its tensor is in every `lookup`. */
export const same_of = (width: number) => ({ kind: "linear", prefix: `same_${width}.` }) as const;

export function lookup(checkpoint: Checkpoint): TowerTensors {
  return (name) => {
    const width = Number(/^same_(\d+)\.weight$/.exec(name)?.[1]);
    if (!(width > 0)) return checkpoint.get(name);
    const data = Float32Array.from(
      { length: width * width },
      (_, index) => index % (width + 1) === 0 ? 1 : 0,
    );
    return { shape: [width, width], read: () => Promise.resolve(data) };
  };
}
