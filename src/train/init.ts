// Untrained language models under the official names and shapes: RWKV-7 as the newest official training code begins it,
// RWKV-6 as its own did (spec 6.9). Must not know trainers or files.
import { randomStream } from "../random.ts";
import { TrainError } from "./errors.ts";
import { orthogonal } from "./orthogonal.ts";
import type { NamedTensor } from "./ports.ts";

/** Of the low-rank matrices. RWKV-7: w, a, v, g. RWKV-6: mix, decay. */
export type RwkvRanks = Readonly<Record<string, number>>;

export interface RwkvShape {
  version: 6 | 7;
  layers: number;
  /** D, a multiple of 64. */
  width: number;
  vocab: number;
  /** Left out: those of the released model of this width, else the official formula. */
  ranks?: RwkvRanks;
  /** Hidden width of the channel mix. Left out: 4 D for RWKV-7, 3.5 D rounded down to 32 for RWKV-6. */
  ffn?: number;
  seed: number;
}

const head_size = 64;

/** Spec 3.6: width → w, a, v, g of the released models. */
const released_ranks: Readonly<Record<number, readonly [number, number, number, number]>> = {
  768: [64, 64, 32, 128],
  1024: [64, 64, 32, 128],
  2048: [96, 96, 64, 256],
  2560: [96, 96, 64, 320],
  4096: [128, 128, 96, 480],
};

/** What a model of this width has unless it is told otherwise. */
export function defaultRanks(version: 6 | 7, width: number): RwkvRanks {
  if (version === 6) return width < 4096 ? { mix: 32, decay: 64 } : { mix: 64, decay: 128 };
  const rank = (factor: number) => Math.max(32, 32 * Math.round(factor * Math.sqrt(width) / 32));
  const [w, a, v, g] = released_ranks[width] ?? [rank(2.5), rank(2.5), rank(1.7), rank(5)];
  return { w, a, v, g };
}

/** Every tensor of an untrained model, deterministic from the seed. Throws TrainError for an impossible shape. */
export function initialRwkv(shape: RwkvShape): Map<string, NamedTensor> {
  const { version, layers, width, vocab } = shape;
  if (width % head_size !== 0 || width < head_size) {
    throw new TrainError(
      "train_invalid",
      `Cannot make a model of width ${width}: it is no multiple of ${head_size}`,
    );
  }
  if (![layers, vocab].every((size) => Number.isInteger(size) && size > 0)) {
    throw new TrainError("train_invalid", `Cannot make a model of ${layers} layers and ${vocab} tokens`);
  }
  const make = new Maker(shape.seed, width);
  make.random("emb.weight", vocab, width, 1e-4);
  make.norm("blocks.0.ln0");
  const ranks = { ...defaultRanks(version, width), ...shape.ranks };
  for (let layer = 0; layer < layers; layer++) {
    const block = `blocks.${layer}.`;
    make.norm(`${block}ln1`);
    make.norm(`${block}ln2`);
    const depth = { rest: 1 - layer / layers, share: layers > 1 ? layer / (layers - 1) : 0 };
    if (version === 7) {
      block7(make, block, { ...depth, first: layer === 0, ranks, hidden: shape.ffn ?? 4 * width });
    } else block6(make, block, { ...depth, ranks, hidden: shape.ffn ?? 32 * Math.floor(3.5 * width / 32) });
    make.norm(`${block}att.ln_x`, ((1 + layer) / layers) ** 0.7);
  }
  make.norm("ln_out");
  make.orthogonal("head.weight", vocab, width, 0.5 * Math.sqrt(Math.max(1, vocab / width)));
  return make.tensors;
}

interface Depth {
  /** 1 in the first layer, 1 / layers in the last. */
  rest: number;
  /** 0 in the first layer, 1 in the last. */
  share: number;
  ranks: RwkvRanks;
  hidden: number;
}

function block7(
  make: Maker,
  block: string,
  { rest, share, ranks, hidden, first }: Depth & { first: boolean },
): void {
  const { width } = make, att = `${block}att.`, ffn = `${block}ffn.`;
  const mixes = { x_r: 0.2, x_w: 0.9, x_k: 0.7, x_v: 0.7, x_a: 0.9, x_g: 0.2 };
  for (const [name, power] of Object.entries(mixes)) {
    make.channels(att + name, ({ part }) => 1 - part ** (power * rest));
  }
  make.channels(`${att}w0`, ({ ramp, zigzag }) => -5.5 + 6 * ramp ** (1 + share ** 0.3) + 2.5 * zigzag);
  make.channels(`${att}a0`, ({ line, zigzag }) => -0.19 + 0.3 * zigzag + 0.4 * line);
  if (!first) make.channels(`${att}v0`, ({ line }) => 0.73 - 0.4 * line);
  for (const name of first ? ["w", "a", "g"] : ["w", "a", "v", "g"]) {
    const rank = ranks[name]!;
    make.constant(`${att}${name}1`, [width, rank], 0);
    make.orthogonal(`${att}${name}2`, rank, width, 0.1 * Math.sqrt(Math.max(1, rank / width)));
  }
  make.channels(`${att}k_k`, ({ line }) => 0.71 - 0.1 * line);
  make.channels(`${att}k_a`, () => 1.02);
  make.constant(`${att}r_k`, [width / head_size, head_size], -0.04);
  make.orthogonal(`${att}receptance.weight`, width, width, 1);
  make.orthogonal(`${att}key.weight`, width, width, 0.1);
  make.orthogonal(`${att}value.weight`, width, width, 1);
  make.constant(`${att}output.weight`, [width, width], 0);
  make.channels(`${ffn}x_k`, ({ part }) => 1 - part ** (rest ** 4));
  make.orthogonal(`${ffn}key.weight`, hidden, width, 1);
  make.constant(`${ffn}value.weight`, [width, hidden], 0);
}

function block6(make: Maker, block: string, { rest, share, ranks, hidden }: Depth): void {
  const { width } = make, att = `${block}att.`, ffn = `${block}ffn.`;
  const [mix, decay] = [ranks.mix!, ranks.decay!];
  for (const name of ["x", "w", "k"]) make.channels(`${att}time_maa_${name}`, ({ part }) => 1 - part ** rest);
  make.channels(`${att}time_maa_v`, ({ part }) => 1 - (part ** rest + 0.3 * share));
  for (const name of ["r", "g"]) {
    make.channels(`${att}time_maa_${name}`, ({ part }) => 1 - part ** (rest / 2));
  }
  make.constant(`${att}time_maa_w1`, [width, 5 * mix], 0);
  make.random(`${att}time_maa_w2`, 5, mix, 0.01, width);
  make.channels(`${att}time_decay`, ({ ramp }) => -6 + 5 * ramp ** (0.7 + 1.3 * share));
  make.constant(`${att}time_decay_w1`, [width, decay], 0);
  make.random(`${att}time_decay_w2`, decay, width, 0.01);
  make.channels(
    `${att}time_faaaa`,
    ({ channel, ramp }) => share * (1 - ramp) + 0.1 * ((channel + 1) % 3 - 1),
    [width / head_size, head_size],
  );
  make.orthogonal(`${att}receptance.weight`, width, width, 1);
  make.orthogonal(`${att}key.weight`, width, width, 0.1);
  make.orthogonal(`${att}value.weight`, width, width, 1);
  make.orthogonal(`${att}gate.weight`, width, width, 0.1);
  make.constant(`${att}output.weight`, [width, width], 0);
  for (const name of ["k", "r"]) make.channels(`${ffn}time_maa_${name}`, ({ part }) => 1 - part ** rest);
  make.orthogonal(`${ffn}key.weight`, hidden, width, 1);
  make.constant(`${ffn}value.weight`, [width, hidden], 0);
  make.constant(`${ffn}receptance.weight`, [width, width], 0);
}

/** Where a channel stands. */
interface Channel {
  channel: number;
  /** channel / D */
  part: number;
  /** channel / (D - 1) */
  ramp: number;
  /** ramp - ½ */
  line: number;
  /** ζ|ζ| where ζ runs from about -1 to 1 over each head. */
  zigzag: number;
}

class Maker {
  readonly tensors = new Map<string, NamedTensor>();

  constructor(readonly seed: number, readonly width: number) {}

  channels(name: string, valueOf: (channel: Channel) => number, dims = [1, 1, this.width]): void {
    const data = new Float32Array(this.width);
    const middle = (head_size - 1) / 2;
    for (let channel = 0; channel < this.width; channel++) {
      const ramp = channel / (this.width - 1), zeta = (channel % head_size - middle) / middle;
      const zigzag = zeta * Math.abs(zeta);
      data[channel] = valueOf({ channel, part: channel / this.width, ramp, line: ramp - 0.5, zigzag });
    }
    this.tensors.set(name, { dims, data });
  }

  constant(name: string, dims: readonly number[], value: number): void {
    const elements = dims.reduce((product, size) => product * size, 1);
    this.tensors.set(name, { dims, data: new Float32Array(elements).fill(value) });
  }

  norm(name: string, weight = 1): void {
    this.constant(`${name}.weight`, [this.width], weight);
    this.constant(`${name}.bias`, [this.width], 0);
  }

  /** Uniform within ±reach. */
  random(name: string, rows: number, columns: number, reach: number, depth?: number): void {
    const dims = depth === undefined ? [rows, columns] : [rows, columns, depth];
    this.constant(name, dims, 0);
    const { data } = this.tensors.get(name)!, next = randomStream(this.seed, name);
    for (let index = 0; index < data.length; index++) data[index] = reach * next();
  }

  orthogonal(name: string, rows: number, columns: number, gain: number): void {
    this.tensors.set(name, {
      dims: [rows, columns],
      data: orthogonal(rows, columns, { gain, seed: this.seed, name }),
    });
  }
}
