// Flags of the stages that read LLaVA data and text, under upstream's names (spec 6.2), with their help. Those of the run
// itself are src/train/flags.ts. Must not know how a command line is split into words.
import { flag, type FlagWords, type RunFlag } from "../flags.ts";
import { DataError } from "./errors.ts";
import { projector_types, type ProjectorType } from "./fresh_projector.ts";
import { data_limits } from "./limits.ts";
import { image_positions, type ImagePosition } from "./turn_texts.ts";
import type { StatedSizes } from "./visual_model.ts";

/** Of every stage that trains a language model on files. Empty text: not given. */
const shared: readonly RunFlag[] = [
  flag("tokenizer", "", "vocabulary of the World format; default: looked for beside the model"),
  flag(
    "vocab_size",
    "",
    "rows of the embedding; default: the file's, which must be the same where it is given",
  ),
  flag("n_layer", "", "layers; as vocab_size"),
  flag("n_embd", "", "width; as vocab_size"),
  flag("dim_ffn", "", "inner width of the channel mix; as vocab_size"),
  flag("ctx_len", "2048", "positions of a sample at most, with those of pictures"),
  flag("l2wrap", "1e-4", "pull on the largest logit; 0: none"),
  flag("val_file", "", "data that is not trained on, scored at every validation"),
  flag("val_samples", "64", "samples of val_file that are scored, from its beginning"),
  flag("save_dtype", "f32", "numbers in the .pth files: f32, or bf16 as upstream"),
  flag("save_bundle", "1", "1: at the end the weights become a bundle in proj_dir/bundle, too"),
  flag("licence", "", "of that bundle; default: as gander model import"),
];

export const visual_flags: readonly RunFlag[] = [
  flag("load_model", "", "plain RWKV to begin with; a projector is made where there is none"),
  flag(
    "model_path",
    "",
    "complete VisualRWKV, or a bundle made of one, to begin with, instead of load_model",
  ),
  flag("proj_path", "", "file with the projector (proj.*), where model_path or load_model have none"),
  flag(
    "vision_tower_dir",
    "",
    "CLIP or SigLIP of Hugging Face (also --vision_tower_name, --vision_tower_path)",
  ),
  flag("version", "", "which VisualRWKV, where tensors cannot tell; as of gander model import: v7.01, hd …"),
  flag("data_file", "", "LLaVA data: a JSON list, or .jsonl with an object a line"),
  flag("data_type", "json", "json, the only one"),
  flag("image_folder", "", "root of the picture paths in the data; none may lead out of it"),
  flag("max_rounds", "20", "longer conversations are split, each piece with its pictures"),
  flag("image_position", "many", "many (v6.20 and later), or v6.0's first, middle, last"),
  flag("num_token_per_image", "", "vectors of a picture, a square (upstream's default is 16); default: all"),
  flag("proj_type", "", `projector that is made: ${projector_types.join(", ")} (mlp is v7's gate_before)`),
  flag(
    "freeze_rwkv",
    "",
    "first N blocks are frozen, N = n_layer: all; default: all in pretrain, 0 in finetune",
  ),
  flag("freeze_proj", "0", "1: the projector is frozen"),
  flag("feature_cache", "", "folder of features; default: proj_dir/features; off: computed every time"),
  flag("feature_cache_gb", "64", "what does not fit is computed every time"),
  flag("vision_threads", "2", "threads of the tower"),
  flag(
    "pad_to_ctx_len",
    "0",
    "1: rows are filled up to ctx_len, as upstream; slower, the same but for l2wrap",
  ),
  ...shared,
];

export const text_flags: readonly RunFlag[] = [
  flag("load_model", "", "RWKV to begin with; default: a new one of the sizes below"),
  flag("rwkv_version", "7", "of a new one: 7 or 6"),
  flag("data_file", "", 'text, or JSONL with {"text": …} a line; several with commas between'),
  ...shared,
];

/** Lines for --help. */
export function flagsHelp(flags: readonly RunFlag[]): string {
  return flags.map(({ name, initial, meaning }) => `  --${`${name} ${initial}`.padEnd(30)} ${meaning}\n`)
    .join("");
}

export interface SharedSettings {
  tokenizer_path: string | undefined;
  sizes: StatedSizes;
  ctx_len: number;
  l2wrap: number;
  val_path: string | undefined;
  val_samples: number;
  save_dtype: "f32" | "bf16";
  save_bundle: boolean;
  licence: string | undefined;
}

export interface VisualSettings extends SharedSettings {
  paths: string[];
  tower_paths: string[];
  version: string | undefined;
  data_path: string;
  image_folder: string | undefined;
  max_rounds: number;
  image_position: ImagePosition;
  tokens_per_image: number | undefined;
  proj_type: ProjectorType | undefined;
  /** Undefined: all. */
  freeze_rwkv: number | undefined;
  freeze_proj: boolean;
  /** Undefined: none is kept. */
  feature_dir: string | undefined;
  feature_bytes_max: number;
  vision_threads: number;
  pad_to_ctx_len: boolean;
}

export interface TextSettings extends SharedSettings {
  load_model: string | undefined;
  rwkv_version: 6 | 7;
  data_paths: string[];
}

/** `out_dir`: proj_dir. Throws DataError that names the flag. */
export function readVisualFlags(
  stage: "pretrain" | "finetune",
  words: FlagWords,
  out_dir: string,
): VisualSettings {
  const read = new FlagReader(visual_flags, words);
  read.word("data_type", ["json"]);
  const complete = read.path("model_path"), plain = read.path("load_model");
  if ((complete === undefined) === (plain === undefined)) {
    throw new DataError("data_options", `Cannot ${stage}: give --load_model or --model_path, one of them`);
  }
  const cache = read.path("feature_cache");
  return {
    ...readShared(read),
    paths: [complete ?? plain!, read.path("proj_path")].filter((path) => path !== undefined),
    tower_paths: [
      read.path("vision_tower_dir") ?? words.vision_tower_path ?? words.vision_tower_name ?? "",
    ].filter((path) => path !== ""),
    version: read.path("version"),
    data_path: read.needed("data_file"),
    image_folder: read.path("image_folder"),
    max_rounds: read.count("max_rounds", 1, data_limits.turns_max)!,
    image_position: read.word("image_position", image_positions)!,
    tokens_per_image: read.count("num_token_per_image", 1, data_limits.vectors_max),
    proj_type: read.word("proj_type", projector_types),
    freeze_rwkv: read.count("freeze_rwkv", 0, 1 << 20) ?? (stage === "finetune" ? 0 : undefined),
    freeze_proj: read.word("freeze_proj", ["0", "1"]) === "1",
    feature_dir: cache === "off" ? undefined : cache ?? `${out_dir}/features`,
    feature_bytes_max: read.number("feature_cache_gb", 0) * 1e9,
    vision_threads: read.count("vision_threads", 1, 256)!,
    pad_to_ctx_len: read.word("pad_to_ctx_len", ["0", "1"]) === "1",
  };
}

export function readTextFlags(words: FlagWords): TextSettings {
  const read = new FlagReader(text_flags, words);
  return {
    ...readShared(read),
    load_model: read.path("load_model"),
    rwkv_version: read.word("rwkv_version", ["6", "7"]) === "6" ? 6 : 7,
    data_paths: read.needed("data_file").split(",").filter((path) => path !== ""),
  };
}

function readShared(read: FlagReader): SharedSettings {
  const size = (name: string) => read.count(name, 1, 1 << 20);
  return {
    tokenizer_path: read.path("tokenizer"),
    sizes: {
      ...{ vocab_size: size("vocab_size"), n_layer: size("n_layer") },
      ...{ n_embd: size("n_embd"), dim_ffn: size("dim_ffn") },
    },
    ctx_len: read.count("ctx_len", 2, 1 << 20)!,
    l2wrap: read.number("l2wrap", 0),
    val_path: read.path("val_file"),
    val_samples: read.count("val_samples", 1, 1 << 20)!,
    save_dtype: read.word("save_dtype", ["f32", "bf16"])!,
    save_bundle: read.word("save_bundle", ["0", "1"]) === "1",
    licence: read.path("licence"),
  };
}

class FlagReader {
  readonly #initial: ReadonlyMap<string, string>;

  constructor(flags: readonly RunFlag[], readonly words: FlagWords) {
    this.#initial = new Map(flags.map(({ name, initial }) => [name, initial]));
  }

  path(name: string): string | undefined {
    const text = this.words[name] ?? this.#initial.get(name)!;
    return text === "" ? undefined : text;
  }

  needed(name: string): string {
    const text = this.path(name);
    if (text === undefined) throw new DataError("data_options", `Cannot train: --${name} is missing`);
    return text;
  }

  number(name: string, min: number): number {
    const text = this.path(name) ?? "", value = Number(text);
    if (text.trim() !== "" && Number.isFinite(value) && value >= min) return value;
    throw this.#refuse(name, text, `a number of at least ${min}`);
  }

  /** Undefined where nothing is given. */
  count(name: string, min: number, max: number): number | undefined {
    const text = this.path(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw this.#refuse(name, text, `a whole number from ${min} to ${max}`);
  }

  word<const T extends string>(name: string, words: readonly T[]): T | undefined {
    const text = this.path(name), found = words.find((word) => word === text);
    if (text !== undefined && found === undefined) {
      throw this.#refuse(name, text, `one of ${words.join(", ")}`);
    }
    return found;
  }

  #refuse(name: string, text: string, wanted: string): DataError {
    return new DataError("data_options", `Cannot use --${name} "${text}": it is ${wanted}`);
  }
}
