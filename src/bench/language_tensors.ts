// The tensors of RWKV-5.2, 6 and 7 by their official names. Shapes: spec sections 3.3, 4.3 and 4.4.
// Must not know towers or files.
import { TensorList } from "./tensor_list.ts";

export interface LanguageShape {
  version: 5 | 6 | 7;
  layers: number;
  /** D. */
  width: number;
  vocab: number;
  /** F: width inside the channel mix. */
  hidden: number;
  /** RWKV-7: w, a, v, g. RWKV-6: mixes, decay. RWKV-5: none. */
  ranks: readonly number[];
}

/** The channel mix of RWKV-5 and 6: three and a half times D, down to a multiple of 32. */
export function hiddenWidth(width: number): number {
  return 32 * Math.floor((3.5 * width) / 32);
}

export function languageTensors(shape: LanguageShape, prefix: string): TensorList {
  const { version, layers, width, vocab } = shape;
  const list = new TensorList(prefix);
  list.add("emb.weight", [vocab, width], 1);
  for (let layer = 0; layer < layers; layer++) {
    const block = `blocks.${layer}.`;
    if (layer === 0) list.norm(`${block}ln0`, width);
    list.norm(`${block}ln1`, width).norm(`${block}ln2`, width);
    addBlock[version](list, block, shape, layer);
  }
  return list.norm("ln_out", width).matrix("head.weight", vocab, width);
}

/** RWKV-7 blocks and a last norm without words: the compressor of v7.03 and v7.04. */
export function compressorTensors(shape: LanguageShape, prefix: string): TensorList {
  const list = new TensorList(prefix);
  for (let layer = 0; layer < shape.layers; layer++) {
    const block = `blocks.${layer}.`;
    if (layer === 0) list.norm(`${block}ln0`, shape.width);
    list.norm(`${block}ln1`, shape.width).norm(`${block}ln2`, shape.width);
    add7(list, block, shape, layer);
  }
  return list.norm("ln_out", shape.width);
}

type AddBlock = (list: TensorList, block: string, shape: LanguageShape, layer: number) => void;

function addAttention(list: TensorList, att: string, width: number, names: readonly string[]): void {
  for (const name of names) list.matrix(`${att}${name}.weight`, width, width);
  list.norm(`${att}ln_x`, width);
}

const add7: AddBlock = (list, block, { width, hidden, ranks: [w, a, v, g] }, layer) => {
  const att = `${block}att.`;
  for (const name of "rwkvag") list.add(`${att}x_${name}`, [1, 1, width], 0.5, 0.5);
  list.add(`${att}w0`, [1, 1, width], 3, -2).add(`${att}a0`, [1, 1, width], 1);
  list.add(`${att}k_k`, [1, 1, width], 0.2, 0.8).add(`${att}k_a`, [1, 1, width], 0.2, 1);
  list.add(`${att}r_k`, [width / 64, 64], 0.1);
  const lora = (name: string, rank: number) =>
    list.add(`${att}${name}1`, [width, rank], 0.02).add(`${att}${name}2`, [rank, width], 0.1);
  lora("w", w!);
  lora("a", a!);
  lora("g", g!);
  if (layer > 0) {
    list.add(`${att}v0`, [1, 1, width], 1);
    lora("v", v!);
  }
  addAttention(list, att, width, ["receptance", "key", "value", "output"]);
  list.add(`${block}ffn.x_k`, [1, 1, width], 0.5, 0.5);
  list.matrix(`${block}ffn.key.weight`, hidden, width).matrix(`${block}ffn.value.weight`, width, hidden, 0.5);
};

function addChannelMix(list: TensorList, ffn: string, width: number, hidden: number): void {
  list.matrix(`${ffn}key.weight`, hidden, width).matrix(`${ffn}value.weight`, width, hidden, 0.5);
  list.matrix(`${ffn}receptance.weight`, width, width);
}

const add6: AddBlock = (list, block, { width, hidden, ranks: [mixes, decay] }) => {
  const att = `${block}att.`;
  for (const name of "xwkvrg") list.add(`${att}time_maa_${name}`, [1, 1, width], 0.5, 0.5);
  list.add(`${att}time_maa_w1`, [width, 5 * mixes!], 0.02).add(`${att}time_maa_w2`, [5, mixes!, width], 0.1);
  list.add(`${att}time_decay`, [1, 1, width], 2.5, -3);
  list.add(`${att}time_decay_w1`, [width, decay!], 0.02).add(`${att}time_decay_w2`, [decay!, width], 0.1);
  list.add(`${att}time_faaaa`, [width / 64, 64], 0.5, 0.2);
  addAttention(list, att, width, ["receptance", "key", "value", "gate", "output"]);
  for (const name of "kr") list.add(`${block}ffn.time_maa_${name}`, [1, 1, width], 0.5, 0.5);
  addChannelMix(list, `${block}ffn.`, width, hidden);
};

const add5: AddBlock = (list, block, { width, hidden }) => {
  const att = `${block}att.`;
  for (const name of "kvrg") list.add(`${att}time_mix_${name}`, [1, 1, width], 0.5, 0.5);
  list.add(`${att}time_decay`, [width / 64, 64], 2.5, -3).add(`${att}time_faaaa`, [width / 64, 64], 0.5, 0.2);
  addAttention(list, att, width, ["receptance", "key", "value", "gate", "output"]);
  for (const name of "kr") list.add(`${block}ffn.time_mix_${name}`, [1, 1, width], 0.5, 0.5);
  addChannelMix(list, `${block}ffn.`, width, hidden);
};

const addBlock: Record<LanguageShape["version"], AddBlock> = { 5: add5, 6: add6, 7: add7 };
