// The names that llama.cpp gives the tensors of RWKV-6 and RWKV-7, as official ones: fused mixes taken apart,
// low-rank matrices turned round, the rescaling for fp16 undone. Must not know files.
import type { CheckpointTensor } from "./checkpoint.ts";
import { part, renamed, scaled, transposed } from "./derived_tensor.ts";

export type GgufArchitecture = "rwkv6" | "rwkv7";

const outer: Record<string, string> = {
  "token_embd.weight": "emb.weight",
  "token_embd_norm.weight": "blocks.0.ln0.weight",
  "token_embd_norm.bias": "blocks.0.ln0.bias",
  "output_norm.weight": "ln_out.weight",
  "output_norm.bias": "ln_out.bias",
  "output.weight": "head.weight",
};

/** What both have: the name inside a block without its ending. */
const shared: Record<string, string> = {
  attn_norm: "ln1",
  attn_norm_2: "ln2",
  time_mix_ln: "att.ln_x",
  time_mix_key: "att.key",
  time_mix_value: "att.value",
  time_mix_receptance: "att.receptance",
  time_mix_output: "att.output",
  channel_mix_key: "ffn.key",
  channel_mix_value: "ffn.value",
};

interface Names {
  /** Vectors and matrices that stay as they are; official names have no ".weight" here. */
  plain: Record<string, string>;
  turned: Record<string, string>;
  /** Order of the mixes in time_mix_lerp_fused. */
  fused: readonly string[];
}

const own: Record<GgufArchitecture, Names> = {
  rwkv7: {
    plain: {
      ...Object.fromEntries(
        ["w0", "a0", "v0", "k_k", "k_a", "r_k"].map((name) => [`time_mix_${name}`, `att.${name}`]),
      ),
      channel_mix_lerp_k: "ffn.x_k",
    },
    turned: Object.fromEntries(
      ["w1", "w2", "a1", "a2", "v1", "v2", "g1", "g2"].map((name) => [`time_mix_${name}`, `att.${name}`]),
    ),
    fused: ["r", "w", "k", "v", "a", "g"].map((name) => `att.x_${name}`),
  },
  rwkv6: {
    plain: {
      ...Object.fromEntries(
        ["x", "w", "k", "v", "r", "g"].map((name) => [`time_mix_lerp_${name}`, `att.time_maa_${name}`]),
      ),
      time_mix_first: "att.time_faaaa",
      time_mix_decay: "att.time_decay",
      channel_mix_lerp_k: "ffn.time_maa_k",
      channel_mix_lerp_r: "ffn.time_maa_r",
    },
    turned: {
      time_mix_w1: "att.time_maa_w1",
      time_mix_w2: "att.time_maa_w2",
      time_mix_decay_w1: "att.time_decay_w1",
      time_mix_decay_w2: "att.time_decay_w2",
    },
    fused: ["w", "k", "v", "r", "g"].map((name) => `att.time_maa_${name}`),
  },
};
const own_matrices: Record<GgufArchitecture, Record<string, string>> = {
  rwkv7: {},
  rwkv6: { time_mix_gate: "att.gate", channel_mix_receptance: "ffn.receptance" },
};

export function isGgufName(name: string): boolean {
  return /^(blk\.\d+\.|token_embd|output)/.test(name);
}

/**
 * The official tensors that one GGUF tensor holds. Empty: no name of this architecture. `rescale_every` is the
 * file's `rescale_every_n_layers`, 0 where there is none.
 */
export function fromGguf(
  tensor: CheckpointTensor,
  architecture: GgufArchitecture,
  rescale_every: number,
): CheckpointTensor[] {
  const { name } = tensor;
  if (Object.hasOwn(outer, name)) return [renamed(tensor, outer[name]!)];
  const [, layer, stem, ending] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? [];
  if (stem === undefined) return [];
  const block = `blocks.${layer}.`;
  if (Object.hasOwn(shared, stem)) {
    const official = `${block}${shared[stem]}.${ending}`;
    const halved = rescale_every > 0 && (stem === "time_mix_output" || stem === "channel_mix_value");
    const factor = halved ? 2 ** Math.floor(Number(layer) / rescale_every) : 1;
    return [factor === 1 ? renamed(tensor, official) : scaled(tensor, official, factor)];
  }
  if (ending !== "weight") return [];
  const { plain, turned, fused } = own[architecture];
  const matrices = own_matrices[architecture];
  if (Object.hasOwn(matrices, stem)) return [renamed(tensor, `${block}${matrices[stem]}.weight`)];
  if (Object.hasOwn(plain, stem)) return [renamed(tensor, block + plain[stem])];
  if (Object.hasOwn(turned, stem)) return [transposed(tensor, block + turned[stem])];
  if (stem !== "time_mix_lerp_fused" || tensor.elements % fused.length !== 0) return [];
  const shape = [1, 1, tensor.elements / fused.length];
  return fused.map((official, index) => part(tensor, block + official, index, fused.length, shape));
}
