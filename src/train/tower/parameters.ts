// A new tower's parameters, by the names of the trainer's tower_net.h, from a seed; and how each kind is trained.
// Must not know pictures or batches.
import { uniform } from "../../random.ts";
import { box_numbers } from "../../vision/object_picking.ts";
import type { NamedTensor } from "../ports.ts";
import type { Group } from "../stage.ts";

export interface TowerShape {
  /** A multiple of 16. */
  side_px: number;
  /** Channels behind each block of the stem; equal neighbours are residual, the others halve the picture. */
  stem: readonly number[];
  layers: number;
  /** Width that pictures and words share. */
  shared: number;
  /** Rows of the words' embedding. */
  words: number;
}

/** Heads are 64 wide: the last of the stem is a multiple of that. */
export const demo_stem: readonly number[] = [32, 64, 64, 128, 128, 192];

const first_scale = 10, first_image_scale = 1 / 0.07;
/** Before anything is learned: things are a third of the frame, rarely new, mostly visible. */
const box_bias = Float32Array.of(0, 0, Math.log(0.33), 0, 0, 0, -1.5, 1);

export function towerParameters(shape: TowerShape, seed: number): Map<string, NamedTensor> {
  const tensors = new Map<string, NamedTensor>();
  const draw = (name: string, dims: readonly number[], deviation: number) => {
    const elements = dims.reduce((product, size) => product * size, 1);
    tensors.set(name, { dims, data: uniform(seed, name, elements, deviation) });
  };
  const fill = (name: string, dims: readonly number[], value: number) => {
    const elements = dims.reduce((product, size) => product * size, 1);
    tensors.set(name, { dims, data: new Float32Array(elements).fill(value) });
  };
  const norm = (name: string, width: number) => {
    fill(`${name}.weight`, [width], 1);
    fill(`${name}.bias`, [width], 0);
  };
  const linear = (name: string, out: number, width_in: number, gain = 1) => {
    draw(`${name}.weight`, [out, width_in], gain / Math.sqrt(width_in));
    fill(`${name}.bias`, [out], 0);
  };
  const { stem, layers, shared, words, side_px } = shape;
  let channels = 6, side = side_px;
  for (const [at, out] of stem.entries()) {
    draw(`stem.${at}.weight`, [out, channels, 3, 3], Math.sqrt(2 / (9 * channels)));
    fill(`stem.${at}.bias`, [out], 0);
    norm(`stem.${at}.norm`, out);
    if (out !== channels) side = Math.ceil(side / 2);
    channels = out;
  }
  const width = channels, inner = 1 / Math.sqrt(2 * layers);
  draw("position", [side * side, width], 0.05);
  for (let layer = 0; layer < layers; layer++) {
    const block = `blocks.${layer}`;
    norm(`${block}.norm1`, width);
    linear(`${block}.attn.qkv`, 3 * width, width);
    linear(`${block}.attn.out`, width, width, inner);
    norm(`${block}.norm2`, width);
    linear(`${block}.mlp.up`, 4 * width, width);
    linear(`${block}.mlp.down`, width, 4 * width, inner);
  }
  norm("norm", width);
  draw("head.class.weight", [shared, width], 1 / Math.sqrt(width));
  fill("head.class.scale", [], Math.log(first_scale));
  draw("head.background", [shared], 1);
  draw("head.box.weight", [box_numbers, width], 0.2 / Math.sqrt(width));
  tensors.set("head.box.bias", { dims: [box_numbers], data: box_bias.slice() });
  draw("head.image.weight", [shared, width], 1 / Math.sqrt(width));
  fill("head.image.scale", [], Math.log(first_image_scale));
  draw("text.embedding", [words, shared], 1 / Math.sqrt(shared));
  draw("text.out.weight", [shared, shared], 1 / Math.sqrt(shared));
  return tensors;
}

/** Decay pulls on matrices and kernels; not on what words and places are, nor on single rows. */
export function towerGroup(name: string, dims: readonly number[]): Group {
  const decays = dims.length >= 2 && name !== "position" && name !== "text.embedding";
  return { lr_scale: 1, weight_decay: decays ? 0.05 : 0 };
}
