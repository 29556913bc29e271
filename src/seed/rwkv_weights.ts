// Random RWKV-7 weights that talk: the official schedules where they are vectors, lively matrices where official
// training starts from zero, and a head that prefers words. Must not know files or engines.
import type { FloatTensor } from "../model/safetensors.ts";
import { channel, contentEnd } from "./channels.ts";
import { wireReflex } from "./reflex.ts";
import { seed_tokens, seed_vocab } from "./seed_vocabulary.ts";
import { WeightTable } from "./weight_table.ts";

export interface RwkvSizes {
  /** D, a multiple of 64. */
  width: number;
  layers: number;
  /** Ranks of the low-rank matrices of decay, in-context rate, value mix and gate. */
  ranks: { w: number; a: number; v: number; g: number };
}

/** Spread of the logits of one position: peaked enough that words differ from tick to tick. */
const logit_deviation = 2;

/**
 * Log-odds per kind of token, by way of the channel that is always 1. Bytes are 14 below words: over 256 of them
 * that is less than one in 10 000 tokens. A turn ends only behind text: about one word in ten.
 */
const bias = { byte: -14, unused: -30, word: 0, turn_end: -4 } as const;
const turn_end_behind_text = 2.9;

/** Size of the mark in the embedding of every token, where content has size 1. */
const text_mark = 3;

/** Tensors in the order of the official files. */
export function randomRwkv(sizes: RwkvSizes, seed: number): Map<string, FloatTensor> {
  const { width, layers } = sizes;
  const table = new WeightTable(seed);
  const content = [channel.content_first, contentEnd(width)] as const;
  const norm = (name: string, gain = 1) => {
    table.fill(`${name}.weight`, [width], gain);
    table.fill(`${name}.bias`, [width], 0);
  };
  const steadyNorm = (name: string) => {
    norm(name);
    table.set(`${name}.weight`, 0, channel.one, 0);
    table.set(`${name}.bias`, 0, channel.one, 1);
  };

  table.draw("emb.weight", [seed_vocab, width], 1, content);
  table.centreRows("emb.weight", content);
  for (let token = 0; token < seed_vocab; token++) {
    table.set("emb.weight", token, channel.text, text_mark);
    table.set("emb.weight", token, channel.balance, -text_mark);
  }
  norm("blocks.0.ln0");
  for (let layer = 0; layer < layers; layer++) {
    const block = `blocks.${layer}`;
    steadyNorm(`${block}.ln1`);
    steadyNorm(`${block}.ln2`);
    for (const [name, data] of scheduledVectors(sizes, layer)) {
      table.put(`${block}.${name}`, [1, 1, width], data);
    }
    table.fill(`${block}.att.r_k`, [width / 64, 64], -0.04);
    for (const [kind, rank] of Object.entries(sizes.ranks)) {
      if (kind === "v" && layer === 0) continue; // layer 0 is where the first value comes from
      // Stored for right multiplication: [in, rank] and [rank, out].
      table.draw(`${block}.att.${kind}1`, [width, rank], width ** -0.5);
      table.draw(`${block}.att.${kind}2`, [rank, width], 0.5 * rank ** -0.5);
    }
    table.draw(`${block}.att.receptance.weight`, [width, width], width ** -0.5);
    table.draw(`${block}.att.key.weight`, [width, width], 0.5 * width ** -0.5);
    table.draw(`${block}.att.value.weight`, [width, width], width ** -0.5);
    table.draw(`${block}.att.output.weight`, [width, width], 0.25 * width ** -0.5);
    norm(`${block}.att.ln_x`, ((1 + layer) / layers) ** 0.7);
    table.draw(`${block}.ffn.key.weight`, [4 * width, width], width ** -0.5);
    table.draw(`${block}.ffn.value.weight`, [width, 4 * width], 0.12 * width ** -0.5);
    table.keepRows(`${block}.att.output.weight`, content);
    table.keepRows(`${block}.ffn.value.weight`, content);
  }
  steadyNorm("ln_out");
  table.draw("head.weight", [seed_vocab, width], logit_deviation * width ** -0.5, content);
  for (let token = 0; token < seed_vocab; token++) {
    table.set("head.weight", token, channel.one, tokenBias(token));
  }
  table.set("head.weight", seed_tokens.turn_end, channel.text, turn_end_behind_text);
  wireReflex(table, width);
  return table.tensors;
}

/** Vectors whose start official training fixes, by channel and depth. */
function scheduledVectors({ width, layers }: RwkvSizes, layer: number): [string, Float32Array][] {
  const depth = layers > 1 ? layer / (layers - 1) : 0;
  const rest = 1 - layer / layers;
  const each = (value: (index: number, line: number, zigzag: number) => number) =>
    Float32Array.from({ length: width }, (_, index) => {
      const wave = ((index % 64) - 31.5) / 31.5;
      return value(index, index / (width - 1) - 0.5, wave * Math.abs(wave));
    });
  const mix = (power: number) => each((index) => 1 - (index / width) ** power);
  const ramp = 1 + depth ** 0.3;
  const vectors: [string, Float32Array][] = [
    ["att.x_r", mix(0.2 * rest)],
    ["att.x_w", mix(0.9 * rest)],
    ["att.x_k", mix(0.7 * rest)],
    ["att.x_v", mix(0.7 * rest)],
    ["att.x_a", mix(0.9 * rest)],
    ["att.x_g", mix(0.2 * rest)],
    ["att.w0", each((index, _, zigzag) => -5.5 + 6 * (index / (width - 1)) ** ramp + 2.5 * zigzag)],
    ["att.a0", each((_, line, zigzag) => -0.19 + 0.3 * zigzag + 0.4 * line)],
    ["att.v0", each((_, line) => 0.73 - 0.4 * line)],
    ["att.k_k", each((_, line) => 0.71 - 0.1 * line)],
    ["att.k_a", each(() => 1.02)],
    ["ffn.x_k", mix(rest ** 4)],
  ];
  return layer === 0 ? vectors.filter(([name]) => name !== "att.v0") : vectors;
}

function tokenBias(token: number): number {
  if (token === 0 || token >= seed_tokens.word_end) return bias.unused;
  if (token < seed_tokens.byte_end) return bias.byte;
  return token === seed_tokens.turn_end ? bias.turn_end : bias.word;
}
