// Which tensors a stage trains, and which of them decay (spec 6.1, 6.5). Names and shapes only; must not know values.
import type { Group } from "../stage.ts";

export interface FreezeOptions {
  layers: number;
  /** --freeze_rwkv N: all layers or more: the whole language model; less: the first N blocks. emb is always frozen. */
  freeze_rwkv: number;
  freeze_proj: boolean;
  weight_decay: number;
}

const frozen: Group = { lr_scale: 0, weight_decay: 0 };

/** Names are those of the trainer: official ones, and "proj.". */
export function groupOf(name: string, dims: readonly number[], options: FreezeOptions): Group {
  const { layers, freeze_rwkv, freeze_proj } = options;
  const trained: Group = {
    lr_scale: 1,
    weight_decay: squeezedRank(dims) >= 2 ? options.weight_decay : 0,
  };
  if (name.startsWith("proj.")) return freeze_proj ? frozen : trained;
  // N is compared with the number of layers: 24 freezes a model of 24 layers as a whole.
  if (name === "emb.weight" || freeze_rwkv >= layers) return frozen;
  const layer = /^blocks\.(\d+)\./.exec(name)?.[1];
  return layer !== undefined && Number(layer) < freeze_rwkv ? frozen : trained;
}

/** Vectors are stored as [1, 1, D], too. */
export function squeezedRank(dims: readonly number[]): number {
  return dims.filter((size) => size !== 1).length;
}
