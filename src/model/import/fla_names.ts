// The names that flash-linear-attention gives the tensors of RWKV-7 in Hugging Face models, as official ones.
// Must not know files.
import type { CheckpointTensor } from "./checkpoint.ts";
import { renamed, transposed } from "./derived_tensor.ts";

const outer: Record<string, string> = {
  "model.embeddings.weight": "emb.weight",
  "model.norm.weight": "ln_out.weight",
  "model.norm.bias": "ln_out.bias",
  "lm_head.weight": "head.weight",
};

const norms: Record<string, string> = {
  pre_norm: "ln0",
  attn_norm: "ln1",
  ffn_norm: "ln2",
  "attn.g_norm": "att.ln_x",
};
const matrices: Record<string, string> = {
  "attn.r_proj": "att.receptance",
  "attn.k_proj": "att.key",
  "attn.v_proj": "att.value",
  "attn.o_proj": "att.output",
  "ffn.key": "ffn.key",
  "ffn.value": "ffn.value",
};

export function isFlaName(name: string): boolean {
  return name.startsWith("model.") || name.startsWith("lm_head.");
}

/** Undefined: no name of RWKV-7. */
export function fromFla(tensor: CheckpointTensor): CheckpointTensor | undefined {
  const { name } = tensor;
  if (Object.hasOwn(outer, name)) return renamed(tensor, outer[name]!);
  const [, layer, inner] = /^model\.layers\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (inner === undefined) return undefined;
  const block = `blocks.${layer}.`;
  const [, stem, ending] = /^(.+)\.(weight|bias)$/.exec(inner) ?? [];
  if (stem === undefined) {
    const vector = /^attn\.(x_[rwkvag]|k_k|k_a|r_k)$/.exec(inner)?.[1];
    if (vector !== undefined) return renamed(tensor, `${block}att.${vector}`);
    return inner === "ffn.x_k" ? renamed(tensor, `${block}ffn.x_k`) : undefined;
  }
  if (Object.hasOwn(norms, stem)) return renamed(tensor, `${block}${norms[stem]}.${ending}`);
  if (Object.hasOwn(matrices, stem) && ending === "weight") {
    return renamed(tensor, `${block}${matrices[stem]}.weight`);
  }
  // x @ w1 @ w2 as two linear layers: the matrices lie the other way round.
  const [, letter, index] = /^attn\.([wavg])_lora\.lora\.([02])$/.exec(stem) ?? [];
  if (letter === undefined) return undefined;
  if (ending === "bias") {
    return index === "2" && letter !== "g" ? renamed(tensor, `${block}att.${letter}0`) : undefined;
  }
  return transposed(tensor, `${block}att.${letter}${index === "0" ? 1 : 2}`);
}
