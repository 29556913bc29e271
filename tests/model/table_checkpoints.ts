// Checkpoints without files, for tests of what names and shapes say: every element is 0, or counts from 0.
import type { Checkpoint, CheckpointTensor } from "../../src/model/import/checkpoint.ts";
import { type LanguageSizes, wantedTensors } from "../../src/model/import/language_sizes.ts";

export type Shapes = Record<string, readonly number[]>;

export function tableTensor(
  name: string,
  shape: readonly number[],
  type: CheckpointTensor["type"] = "f32",
): CheckpointTensor {
  const elements = shape.reduce((product, size) => product * size, 1);
  const floats = () => Float32Array.from({ length: elements }, (_, index) => index);
  return {
    name,
    type,
    shape,
    elements,
    stored_bytes: elements * (type === "f32" ? 4 : 2),
    file: "x.pth",
    async *readFloats() {
      yield await Promise.resolve(floats());
    },
    async *readBytes() {
      if (type === "f32") yield await Promise.resolve(new Uint8Array(floats().buffer));
      else if (type === "bf16") yield new Uint8Array(Uint16Array.from(floats()).buffer);
      else throw new RangeError(`${type} is not read as bytes here`);
    },
  };
}

export function tableCheckpoint(
  shapes: Shapes,
  { path = "x.pth", metadata = {} }: { path?: string; metadata?: Record<string, unknown> } = {},
): Checkpoint {
  return {
    files: [{ path, bytes: 0, container: "torch" }],
    tensors: new Map(Object.entries(shapes).map(([name, shape]) => [name, tableTensor(name, shape)])),
    metadata: new Map(Object.entries(metadata)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const small: Record<5 | 6 | 7, LanguageSizes> = {
  5: { generation: 5, layers: 2, width: 128, vocab: 768, hidden: 448, ranks: {} },
  6: { generation: 6, layers: 2, width: 128, vocab: 768, hidden: 448, ranks: { mix: 8, decay: 16 } },
  7: { generation: 7, layers: 2, width: 128, vocab: 768, hidden: 512, ranks: { w: 16, a: 24, v: 8, g: 40 } },
};

export function languageShapes(generation: 5 | 6 | 7, prefix = ""): Shapes {
  return Object.fromEntries(
    [...wantedTensors(small[generation])].map(([name, shape]) => [prefix + name, shape]),
  );
}

export function smallSizes(generation: 5 | 6 | 7): LanguageSizes {
  return small[generation];
}

/** Names of Hugging Face's CLIP (with class token) and SigLIP, width 128, two layers, a grid of 4 x 4. */
export function huggingFaceTower(kind: "clip" | "siglip", prefix = "vit.vision_model."): Shapes {
  const width = 128, hidden = 192, clip = kind === "clip";
  const shapes: Shapes = {
    "embeddings.patch_embedding.weight": [width, 3, 14, 14],
    "embeddings.position_embedding.weight": [clip ? 17 : 16, width],
    "post_layernorm.weight": [width],
    "post_layernorm.bias": [width],
  };
  const add = (name: string, ...shape: number[]) => shapes[name] = shape;
  if (clip) {
    add("embeddings.class_embedding", width);
    add("pre_layrnorm.weight", width);
    add("pre_layrnorm.bias", width);
  } else add("embeddings.patch_embedding.bias", width);
  for (const layer of [0, 1]) {
    const block = `encoder.layers.${layer}.`;
    for (const name of ["layer_norm1", "layer_norm2"]) {
      add(`${block}${name}.weight`, width);
      add(`${block}${name}.bias`, width);
    }
    for (const name of ["q_proj", "k_proj", "v_proj", "out_proj"]) {
      add(`${block}self_attn.${name}.weight`, width, width);
      add(`${block}self_attn.${name}.bias`, width);
    }
    add(`${block}mlp.fc1.weight`, hidden, width);
    add(`${block}mlp.fc1.bias`, hidden);
    add(`${block}mlp.fc2.weight`, width, hidden);
    add(`${block}mlp.fc2.bias`, width);
  }
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [prefix + name, shape]));
}

/** The projector of v7, [features] → 128. */
export function gatedProjector(features: number): Shapes {
  return {
    "proj.gate.weight": [features, features],
    "proj.o_proj.weight": [128, features],
    "proj.ln_v.weight": [128],
    "proj.ln_v.bias": [128],
  };
}
