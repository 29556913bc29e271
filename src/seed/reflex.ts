// When the seed model speaks. Random weights alone would speak always or never, depending on the camera, so a few
// heads of layer 0 are wired by hand: the picture has to change, and the model tires of speaking. What it says
// stays random. Must not know vocabularies beyond the silence token.
//
// Share of ticks that speak, measured with the CPU engine at 2 ticks per second over 300 ticks, threshold 0.4:
//   variant  test pattern  test pattern 2  fractal zoom  gradients  moving boxes  still picture
//   seed     .24           .12             .19           .23        .21           .00
//   tiny     .13           .18             .13           .16        .14           .10 (it sees no change)
// Over 20 000 ticks of drifting vectors the share stays the same.
//
// How: layer 0, head 0: per cell of the picture a slow average (key = the cell, delta rule with rate `slow_rate`).
//          head 1: the same with rate 1: the cell as it is now. GroupNorm makes both one length; their difference
//                  is zero on a still picture.
//          last head: decaying sums of "was text" and of 1; their ratio is how much was said lately.
//          channel mix: squares of the differences, summed: the energy.
// Layer 1, head 0: a constant, gated by sigmoid(energy): the change in 0..1.
import { channel, hasChangeReflex } from "./channels.ts";
import { seed_tokens } from "./seed_vocabulary.ts";
import type { WeightTable } from "./weight_table.ts";

const head_size = 64;
const cells = 4;

/** Share of the newest tick in the slow average: a memory of about eight ticks. */
const slow_rate = 0.12;
/** Positions (4 per tick, 1 per word) after which what was said counts 1/e. */
const tired_positions = 24;
/** The change that counts as half: energy (after LayerNorm) times slope equals threshold. */
const change_slope = 3000;
const change_half = 4;

/** Logits of silence: at rest, when all changes, when only text was said lately, and behind text (a question). */
const silence_logit = { rest: 14, change: -22, tired: 110, behind_text: -40 } as const;
/** The same for a model without eyes for change: it speaks, tires and rests. */
const blind_silence_logit = { rest: 5, change: 0, tired: 22, behind_text: -40 } as const;

/** What LayerNorm makes of the text mark of a token: 3 against content of size 1. */
const text_level = 3.8;

/** In-context rates and decays are sigmoids: this is where they are 0 or 1 for all purposes. */
const never = -9;
const always = 9;

export function wireReflex(table: WeightTable, width: number): void {
  const tired_head = width / head_size - 1;
  emptyLayer(table, width);
  wireFatigue(table, tired_head * head_size);
  if (hasChangeReflex(width)) {
    wireAverage(table, 0, slow_rate);
    wireAverage(table, head_size, 1);
    wireDifference(table, width);
    wireSqueeze(table);
  }
  const logit = hasChangeReflex(width) ? silence_logit : blind_silence_logit;
  const silence = seed_tokens.silence;
  table.clearRows("head.weight", silence, silence + 1);
  table.set("head.weight", silence, channel.one, logit.rest);
  table.set("head.weight", silence, channel.change, logit.change);
  table.set("head.weight", silence, channel.fatigue, logit.tired);
  table.set("head.weight", silence, channel.text, logit.behind_text);
}

/** Layer 0 without shift, with gate 1 and nothing in its matrices of attention. */
function emptyLayer(table: WeightTable, width: number): void {
  for (const mix of ["x_r", "x_w", "x_k", "x_v", "x_a", "x_g", "r_k", "w1", "a1", "g1", "g2"]) {
    table.clear(`blocks.0.att.${mix}`);
  }
  for (const matrix of ["receptance", "key", "value", "output"]) table.clear(`blocks.0.att.${matrix}.weight`);
  table.setRange("blocks.0.att.g2", 0, width, 2); // sigmoid(0) = 1/2
  table.setRange("blocks.0.att.ln_x.weight", 0, width, 1);
  table.setRange("blocks.0.att.k_k", 0, width, 1);
  table.clear("blocks.0.ffn.x_k");
}

/** A head that keeps `value` per cell: (1 - rate) of the old plus rate of the new. */
function wireAverage(table: WeightTable, head: number, rate: number): void {
  // Tokens get a key of their own, so that they leave the cells alone.
  const keys = [channel.text, ...Array.from({ length: cells }, (_, cell) => channel.cell_first + cell)];
  keys.forEach((key, index) => {
    table.set("blocks.0.att.key.weight", head + index, key, 1);
    table.set("blocks.0.att.receptance.weight", head + index, key, 1);
  });
  for (let index = 0; index < head_size; index++) {
    table.set("blocks.0.att.value.weight", head + index, channel.content_first + index, 1);
  }
  const rate_logit = rate === 1 ? always : Math.log(rate / (1 - rate));
  table.setRange("blocks.0.att.a0", head, head + head_size, rate_logit);
  table.setRange("blocks.0.att.k_a", head, head + head_size, 1); // the new value is weighed with the rate
  table.setRange("blocks.0.att.w0", head, head + head_size, never);
}

/** A head with one key that decays: sums of "was text" and of 1. */
function wireFatigue(table: WeightTable, head: number): void {
  table.set("blocks.0.att.key.weight", head, channel.one, 1);
  table.set("blocks.0.att.receptance.weight", head, channel.one, 1);
  table.set("blocks.0.att.value.weight", head, channel.text, 1);
  table.set("blocks.0.att.value.weight", head + 1, channel.one, text_level);
  table.setRange("blocks.0.att.a0", head, head + head_size, never);
  table.setRange("blocks.0.att.k_a", head, head + head_size, 0);
  // decay = exp(-e^(-1/2) sigmoid(w0)); 1/e after `tired_positions`.
  const share = Math.exp(0.5) / tired_positions;
  table.setRange("blocks.0.att.w0", head, head + head_size, Math.log(share / (1 - share)));
  table.set("blocks.0.att.output.weight", channel.fatigue, head, 1 / 8); // GroupNorm: 8 times the ratio
}

function wireDifference(table: WeightTable, width: number): void {
  const first = width - head_size;
  table.clearRows("blocks.0.ffn.key.weight", 0, 2 * head_size);
  table.clearColumns("blocks.0.ffn.value.weight", 0, 2 * head_size);
  for (let index = 0; index < head_size; index++) {
    table.set("blocks.0.att.output.weight", first + index, index, 1);
    table.set("blocks.0.att.output.weight", first + index, head_size + index, -1);
    for (const sign of [1, -1]) { // relu(d)^2 + relu(-d)^2 = d^2
      const unit = 2 * index + (sign > 0 ? 0 : 1);
      table.set("blocks.0.ffn.key.weight", unit, first + index, sign);
      table.set("blocks.0.ffn.value.weight", channel.energy, unit, 1 / head_size);
    }
  }
}

/** Layer 1, head 0: what GroupNorm makes of one constant is 8; the gate is sigmoid(slope * energy - half). */
function wireSqueeze(table: WeightTable): void {
  const block = "blocks.1.att";
  for (const matrix of ["receptance", "key", "value"]) {
    table.clearRows(`${block}.${matrix}.weight`, 0, head_size);
    table.set(`${block}.${matrix}.weight`, 0, channel.one, 1);
  }
  for (const low_rank of ["w2", "a2", "v2", "g2"]) table.clearColumns(`${block}.${low_rank}`, 0, head_size);
  table.clearColumns(`${block}.output.weight`, 0, head_size);
  table.setRange(`${block}.ln_x.weight`, 0, head_size, 1);
  table.setRange(`${block}.a0`, 0, head_size, never);
  table.setRange(`${block}.v0`, 0, head_size, never); // its own value, not that of layer 0
  table.setRange(`${block}.k_a`, 0, head_size, 0);
  table.setRange(`${block}.r_k`, 0, head_size, 0);
  table.setRange(`${block}.w0`, 0, head_size, 0);

  table.set(`${block}.x_g`, 0, channel.energy, 0);
  table.clearColumns(`${block}.g1`, 0, 1);
  table.set(`${block}.g1`, channel.energy, 0, change_slope);
  table.set(`${block}.g1`, channel.one, 0, -change_half);
  table.clearRows(`${block}.g2`, 0, 1);
  table.set(`${block}.g2`, 0, 0, 1);
  table.set(`${block}.output.weight`, channel.change, 0, 1 / 8);
}
