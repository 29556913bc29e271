// The language model by its official tensor names: generation, sizes, ranks, and the complete list of tensors that it
// must have. Everything is read from shapes, never from formulas. Must not know files or pictures.
import { import_limits } from "./limits.ts";
import type { TensorTable } from "./tensor_table.ts";

export type Generation = 5 | 6 | 7;
export const head_size = 64;

export interface LanguageSizes {
  generation: Generation;
  layers: number;
  width: number;
  /** 0 for a stack of blocks without emb and head. */
  vocab: number;
  /** Width inside the channel mix. */
  hidden: number;
  /** Inner sizes of the low-rank matrices, by the letters of their names. Empty for RWKV-5. */
  ranks: Record<string, number>;
}

/** By the tensors that only one generation has. Undefined: none of the three, or a mixture. */
export function findGeneration(table: TensorTable): Generation | undefined {
  const has = (name: string) => table.has(`blocks.0.att.${name}`);
  const found: Generation[] = [];
  if (has("w0")) found.push(7);
  if (has("time_maa_x") && has("time_decay")) found.push(6);
  if (has("time_mix_g") && has("time_faaaa") && has("time_decay")) found.push(5);
  return found.length === 1 ? found[0] : undefined;
}

/** 1 + the highest N of "blocks.N."; a sentence part when that is no number of layers. */
export function countLayers(table: TensorTable): number | string {
  let count = 0;
  for (const name of table.keys()) {
    const layer = /^blocks\.(\d+)\./.exec(name)?.[1];
    if (layer === undefined) continue;
    if (Number(layer) >= import_limits.layers_max) return `it has a layer ${layer}`;
    count = Math.max(count, Number(layer) + 1);
  }
  return count > 0 ? count : "it has no blocks";
}

/** Sizes, or what keeps them from being read. `with_words`: emb and head belong to it. */
export function findSizes(table: TensorTable, with_words: boolean): LanguageSizes | string {
  const generation = findGeneration(table);
  if (generation === undefined) return "its blocks are neither RWKV-5.2 nor RWKV-6 nor RWKV-7";
  const layers = countLayers(table);
  if (typeof layers === "string") return layers;
  const matrix = (name: string) => {
    const shape = table.get(name)?.shape;
    return shape?.length === 2 ? shape as readonly [number, number] : undefined;
  };
  const emb = matrix("emb.weight");
  const key = matrix("blocks.0.ffn.key.weight");
  if (with_words && emb === undefined) return 'it has no matrix "emb.weight"';
  if (key === undefined) return 'it has no matrix "blocks.0.ffn.key.weight"';
  const width = emb?.[1] ?? key[1];
  if (width === 0 || width % head_size !== 0) {
    return `its width of ${width} is not a multiple of ${head_size}`;
  }
  const ranks = Object.fromEntries(
    Object.entries(rank_sources[generation]).map(([name, tensor]) => [name, matrix(tensor)?.[1] ?? 0]),
  );
  if (generation === 6) ranks.mix = Math.floor(ranks.mix! / 5);
  return { generation, layers, width, vocab: emb?.[0] ?? 0, hidden: key[0], ranks };
}

const rank_sources: Record<Generation, Record<string, string>> = {
  7: {
    w: "blocks.0.att.w1",
    a: "blocks.0.att.a1",
    v: "blocks.1.att.v1",
    g: "blocks.0.att.g1",
  },
  6: { mix: "blocks.0.att.time_maa_w1", decay: "blocks.0.att.time_decay_w1" },
  5: {},
};

/** Every tensor that the model needs, with its official shape, in the order of official files. */
export function wantedTensors(sizes: LanguageSizes): Map<string, number[]> {
  const { generation, layers, width, vocab } = sizes;
  const wanted = new Map<string, number[]>();
  const norm = (name: string) => wanted.set(`${name}.weight`, [width]).set(`${name}.bias`, [width]);
  if (vocab > 0) wanted.set("emb.weight", [vocab, width]);
  for (let layer = 0; layer < layers; layer++) {
    const block = `blocks.${layer}.`;
    if (layer === 0) norm(`${block}ln0`);
    norm(`${block}ln1`);
    norm(`${block}ln2`);
    for (const [name, shape] of blockTensors(generation, sizes, layer)) wanted.set(block + name, shape);
    norm(`${block}att.ln_x`);
  }
  norm("ln_out");
  if (vocab > 0) wanted.set("head.weight", [vocab, width]);
  return wanted;
}

function blockTensors(
  generation: Generation,
  { width, hidden, ranks }: LanguageSizes,
  layer: number,
): [string, number[]][] {
  const vector = [1, 1, width];
  const heads = [width / head_size, head_size];
  const vectors = (names: string[], shape = vector) => names.map((name): [string, number[]] => [name, shape]);
  const squares = (names: string[]) => vectors(names.map((name) => `att.${name}.weight`), [width, width]);
  const ffn: [string, number[]][] = [["ffn.key.weight", [hidden, width]], ["ffn.value.weight", [
    width,
    hidden,
  ]]];
  if (generation === 7) {
    const loras = layer === 0 ? ["w", "a", "g"] : ["w", "a", "v", "g"];
    return [
      ...vectors(["x_r", "x_w", "x_k", "x_v", "x_a", "x_g"].map((name) => `att.${name}`)),
      ...vectors(loras.filter((name) => name !== "g").map((name) => `att.${name}0`)),
      ...loras.flatMap((name): [string, number[]][] => [
        [`att.${name}1`, [width, ranks[name]!]],
        [`att.${name}2`, [ranks[name]!, width]],
      ]),
      ...vectors(["att.k_k", "att.k_a"]),
      ["att.r_k", heads],
      ...squares(["receptance", "key", "value", "output"]),
      ["ffn.x_k", vector],
      ...ffn,
    ];
  }
  const gated: [string, number[]][] = [
    ["att.time_faaaa", heads],
    ...squares(["receptance", "key", "value", "gate", "output"]),
    ...ffn,
    ["ffn.receptance.weight", [width, width]],
  ];
  if (generation === 5) {
    const mixes = ["att.time_mix_k", "att.time_mix_v", "att.time_mix_r", "att.time_mix_g"];
    return [...vectors([...mixes, "ffn.time_mix_k", "ffn.time_mix_r"]), ["att.time_decay", heads], ...gated];
  }
  const { mix = 0, decay = 0 } = ranks;
  return [
    ...vectors(["x", "w", "k", "v", "r", "g"].map((name) => `att.time_maa_${name}`)),
    ["att.time_maa_w1", [width, 5 * mix]],
    ["att.time_maa_w2", [5, mix, width]],
    ["att.time_decay", vector],
    ["att.time_decay_w1", [width, decay]],
    ["att.time_decay_w2", [decay, width]],
    ...vectors(["ffn.time_maa_k", "ffn.time_maa_r"]),
    ...gated,
  ];
}

/** There, and never used: layer 0 mixes no earlier value in. */
export function isDeadWeight(name: string): boolean {
  return /^blocks\.0\.att\.v[012]$/.test(name);
}

export function countParameters(wanted: ReadonlyMap<string, readonly number[]>): number {
  let sum = 0;
  for (const shape of wanted.values()) sum += shape.reduce((product, size) => product * size, 1);
  return sum;
}
