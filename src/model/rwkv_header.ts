// What the tensor names and shapes of an RWKV file say about the model. Must not know manifests or engines.
import type { SafetensorsHeader } from "./safetensors.ts";

export interface RwkvShape {
  version: 6 | 7;
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
  const version = tensors.has("blocks.0.att.w0")
    ? 7
    : tensors.has("blocks.0.att.time_decay") && tensors.has("blocks.0.att.time_maa_x")
    ? 6
    : undefined;
  if (version === undefined) return "its tensor names are neither RWKV-7 nor RWKV-6";
  let layers = 0;
  while (tensors.has(`blocks.${layers}.ln1.weight`)) layers++;
  return { version, layers, width: emb[1], vocab: emb[0] };
}

/** Memory of one state, fp32: a 64 x 64 matrix per head and two shift vectors, in every layer. */
export function stateBytes({ layers, width }: { layers: number; width: number }): number {
  return 4 * layers * (64 * width + 2 * width);
}
