// What the tensor names and shapes of an RWKV file say about the model. Must not know manifests or engines.
import { countLayers, findGeneration, type Generation } from "./import/language_sizes.ts";
import type { SafetensorsHeader } from "./safetensors.ts";

export interface RwkvShape {
  version: Generation;
  layers: number;
  width: number;
  vocab: number;
}

/** Official tensor names (emb.weight, blocks.N…, head.weight). A sentence when they are not there. */
export function readRwkvShape({ tensors }: SafetensorsHeader): RwkvShape | string {
  const emb = tensors.get("emb.weight")?.shape;
  const head = tensors.get("head.weight")?.shape;
  if (emb?.length !== 2 || head?.length !== 2) {
    return "it has no emb.weight and head.weight of two dimensions";
  }
  if (emb[0] !== head[0] || emb[1] !== head[1]) return "emb.weight and head.weight differ in shape";
  const blocks = readBlocks({ tensors });
  return typeof blocks === "string" ? blocks : { ...blocks, width: emb[1]!, vocab: emb[0]! };
}

/** A stack of blocks with ln0 and ln_out, without words: the token compressor of VisualRWKV v7.03 and v7.04. */
export function readCompressorShape(
  { tensors }: Pick<SafetensorsHeader, "tensors">,
): { layers: number; width: number } | string {
  const blocks = readBlocks({ tensors });
  if (typeof blocks === "string") return blocks;
  if (blocks.version !== 7) return `its blocks are RWKV-${blocks.version}, RWKV-7 is needed`;
  const width = tensors.get("ln_out.weight")?.shape.at(-1);
  if (width === undefined || !tensors.has("blocks.0.ln0.weight")) return "it has no ln_out and blocks.0.ln0";
  return tensors.has("emb.weight") ? "it has an emb.weight" : { layers: blocks.layers, width };
}

function readBlocks(
  { tensors }: Pick<SafetensorsHeader, "tensors">,
): Pick<RwkvShape, "version" | "layers"> | string {
  const version = findGeneration(tensors);
  if (version === undefined) return "its tensor names are neither RWKV-7 nor RWKV-6 nor RWKV-5.2";
  const layers = countLayers(tensors);
  return typeof layers === "string" ? layers : { version, layers };
}

/** Memory of one state, fp32: a 64 x 64 matrix per head and two shift vectors, in every layer. */
export function stateBytes({ layers, width }: { layers: number; width: number }): number {
  return 4 * layers * (64 * width + 2 * width);
}
