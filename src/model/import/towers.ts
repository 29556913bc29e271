// Which vision encoders the tensors are, whether all of their tensors are there, and which are never used.
// Names and shapes only; must not know files, projectors or language models.
import { quote } from "./import_error.ts";
import { compare, problemsOf, type TensorTable } from "./tensor_table.ts";

export type EncoderKind = "clip" | "siglip_hf" | "dino_timm" | "siglip_timm" | "sam";

export interface FoundEncoder {
  kind: EncoderKind;
  /** In front of its tensor names. */
  prefix: string;
  width: number;
  layers: number;
  /** Of them, those that are run, and those that see the whole picture (SAM has windows in the others). */
  layers_run: number;
  layers_global: number;
  /** Inner width of the MLP. */
  hidden: number;
  /** Side of the patch grid. */
  grid: number;
  patch_px: number;
}

export interface FoundTowers {
  encoders: FoundEncoder[];
  /** Of the concatenated features of one patch. */
  feature_width: number;
  problems: string[];
  /** There, known and never read. */
  unused: string[];
  unknown: string[];
}

/** Prefixes of the three-tower models, in the order in which their features stand side by side. */
const featurizers: readonly [EncoderKind, string][] = [
  ["dino_timm", "dino_featurizer."],
  ["siglip_timm", "siglip_featurizer."],
  ["sam", "sam_featurizer."],
];

export function findTowers(table: TensorTable): FoundTowers {
  const kinds = [...table.keys()].some((name) => name.includes("_featurizer."))
    ? featurizers
    : [[table.has("embeddings.class_embedding") ? "clip" : "siglip_hf", ""] as const];
  const result: FoundTowers = { encoders: [], feature_width: 0, problems: [], unused: [], unknown: [] };
  const claimed = new Set<string>();
  for (const [kind, prefix] of kinds) {
    const encoder = measure(table, kind, prefix);
    if (typeof encoder === "string") {
      result.problems.push(encoder);
      continue;
    }
    const wanted = wantedOf(table, encoder);
    const comparison = compare(table, wanted);
    result.problems.push(...problemsOf(titles[kind], comparison));
    for (const name of wanted.keys()) claimed.add(name);
    result.encoders.push(encoder);
    result.feature_width += kind === "sam" ? 4 * neckWidth(table, prefix) : encoder.width;
  }
  const grids = new Set(result.encoders.map(({ kind, grid }) => kind === "sam" ? grid / 2 : grid));
  if (grids.size > 1) {
    result.problems.push(`vision: the towers have grids of ${[...grids].join(" and ")} patches`);
  }
  for (const name of table.keys()) {
    if (claimed.has(name)) continue;
    (dead.some((pattern) => pattern.test(name)) || isDeadBlock(name, result.encoders)
      ? result.unused
      : result.unknown).push(name);
  }
  return result;
}

export const titles: Record<EncoderKind, string> = {
  clip: "CLIP",
  siglip_hf: "SigLIP",
  dino_timm: "DINOv2",
  siglip_timm: "SigLIP",
  sam: "SAM",
};

/** Whole models are stored, of which a released VisualRWKV reads the features of an inner layer. */
const dead = [
  /^embeddings\.position_ids$/,
  /^post_layernorm\.(weight|bias)$/,
  /^head\./,
  /^(dino|siglip)_featurizer\.(norm\.|attn_pool\.|fc_norm\.|head\.)/,
  /^dino_featurizer\.mask_token$/,
];

function isDeadBlock(name: string, encoders: readonly FoundEncoder[]): boolean {
  return encoders.some(({ kind, prefix, layers }) =>
    isCutShort(kind) && name.startsWith(`${prefix}blocks.${layers - 1}.`)
  );
}

/** The last block of timm's towers is not run. */
function isCutShort(kind: EncoderKind): boolean {
  return kind === "dino_timm" || kind === "siglip_timm";
}

function neckWidth(table: TensorTable, prefix: string): number {
  return table.get(`${prefix}neck.0.weight`)?.shape[0] ?? 0;
}

function measure(table: TensorTable, kind: EncoderKind, prefix: string): FoundEncoder | string {
  const hugging_face = kind === "clip" || kind === "siglip_hf";
  const kernel_name = prefix +
    (hugging_face ? "embeddings.patch_embedding.weight" : "patch_embed.proj.weight");
  const positions_name = prefix + (hugging_face ? "embeddings.position_embedding.weight" : "pos_embed");
  const kernel = table.get(kernel_name)?.shape;
  const positions = table.get(positions_name)?.shape;
  if (kernel?.length !== 4 || kernel[1] !== 3 || kernel[2] !== kernel[3]) {
    return `${titles[kind]}: ${quote(kernel_name)} is missing or no patch convolution`;
  }
  const width = kernel[0]!;
  const count = (positions ?? []).reduce((product, size) => product * size, 1) / width;
  const grid = Math.sqrt(kind === "clip" ? count - 1 : count);
  if (positions === undefined || positions.at(-1) !== width || !Number.isInteger(grid)) {
    return `${titles[kind]}: ${quote(positions_name)} is missing or no square grid of positions`;
  }
  const block = `${prefix}${hugging_face ? "encoder.layers" : "blocks"}.`;
  let layers = 0;
  while (table.has(`${block}${layers}.${hugging_face ? "layer_norm1" : "norm1"}.weight`)) layers++;
  if (layers === 0) return `${titles[kind]}: it has no layers`;
  const layers_run = layers - (isCutShort(kind) ? 1 : 0);
  const reach = (layer: number) => table.get(`${block}${layer}.attn.rel_pos_h`)?.shape[0];
  return {
    kind,
    prefix,
    width,
    layers,
    layers_run,
    layers_global: kind === "sam"
      ? Array.from({ length: layers }, (_, layer) => layer).filter((layer) => reach(layer) === 2 * grid - 1)
        .length
      : layers_run,
    hidden: table.get(`${block}0.mlp.${firstLinear(kind)}.weight`)?.shape[0] ?? 0,
    grid,
    patch_px: kernel[2]!,
  };
}

function firstLinear(kind: EncoderKind): string {
  return kind === "sam" ? "lin1" : "fc1";
}

/** The tensors that are read, with their shapes. */
function wantedOf(table: TensorTable, encoder: FoundEncoder): Map<string, number[]> {
  const { kind, prefix, width, layers, layers_run, grid, patch_px, hidden } = encoder;
  const wanted = new Map<string, number[]>();
  const add = (name: string, ...shape: number[]) => wanted.set(prefix + name, shape);
  const pair = (name: string, out: number, inside?: number) => {
    if (inside === undefined) add(`${name}.weight`, out);
    else add(`${name}.weight`, out, inside);
    add(`${name}.bias`, out);
  };
  if (kind === "clip" || kind === "siglip_hf") {
    const positions = grid * grid + (kind === "clip" ? 1 : 0);
    add("embeddings.patch_embedding.weight", width, 3, patch_px, patch_px);
    add("embeddings.position_embedding.weight", positions, width);
    if (kind === "clip") {
      add("embeddings.class_embedding", width);
      pair("pre_layrnorm", width);
    } else {
      add("embeddings.patch_embedding.bias", width);
      pair("post_layernorm", width);
    }
    for (let layer = 0; layer < layers; layer++) {
      const block = `encoder.layers.${layer}.`;
      pair(`${block}layer_norm1`, width);
      pair(`${block}layer_norm2`, width);
      for (const name of ["q_proj", "k_proj", "v_proj", "out_proj"]) {
        pair(`${block}self_attn.${name}`, width, width);
      }
      pair(`${block}mlp.fc1`, hidden, width);
      pair(`${block}mlp.fc2`, width, hidden);
    }
    return wanted;
  }
  const sam = kind === "sam";
  pair("patch_embed.proj", width);
  add("patch_embed.proj.weight", width, 3, patch_px, patch_px);
  if (sam) add("pos_embed", 1, grid, grid, width);
  else add("pos_embed", 1, grid * grid, width);
  if (kind === "dino_timm") {
    add("cls_token", 1, 1, width);
    add("reg_token", 1, table.get(`${prefix}reg_token`)?.shape[1] ?? 4, width);
  }
  const [first, second] = sam ? ["lin1", "lin2"] : ["fc1", "fc2"];
  for (let layer = 0; layer < layers_run; layer++) {
    const block = `blocks.${layer}.`;
    pair(`${block}norm1`, width);
    pair(`${block}norm2`, width);
    pair(`${block}attn.qkv`, 3 * width, width);
    pair(`${block}attn.proj`, width, width);
    pair(`${block}mlp.${first}`, hidden, width);
    pair(`${block}mlp.${second}`, width, hidden);
    if (kind === "dino_timm") {
      add(`${block}ls1.gamma`, width);
      add(`${block}ls2.gamma`, width);
    }
    if (sam) {
      // Window layers have short tables, the others long ones; both sides alike.
      const [rows = 0, columns = 0] = table.get(`${prefix}${block}attn.rel_pos_h`)?.shape ?? [];
      add(`${block}attn.rel_pos_h`, rows, columns);
      add(`${block}attn.rel_pos_w`, rows, columns);
    }
  }
  if (sam) {
    const neck = neckWidth(table, prefix);
    add("neck.0.weight", neck, width, 1, 1);
    add("neck.2.weight", neck, neck, 3, 3);
    pair("neck.1", neck);
    pair("neck.3", neck);
  }
  return wanted;
}
