// The manifest of an imported bundle: how the model is shown pictures, asked, sampled and stopped, as its version was
// trained and evaluated (spec 2, 5, 7.1). Must not know files.
import type { ManifestInput } from "../manifest.ts";
import type { Tokenizer } from "../tokenizer.ts";
import type { Findings } from "./inspect.ts";
import { import_limits } from "./limits.ts";
import type { PlannedTower } from "./plan_tower.ts";
import type { TowerOutline } from "./tower_port.ts";
import type { Version } from "./versions.ts";

export interface PlanOptions {
  name: string;
  licence: string;
  policy?: "stream" | "refresh" | undefined;
  position?: "first" | "middle" | "last" | "many" | undefined;
  tokens_per_image?: number | undefined;
  /** v7.04: always so many; other versions with tiles: at most, and the size of a stream's frames. */
  tiles?: number | undefined;
}

export interface PlannedVision {
  tower: PlannedTower;
  outline: TowerOutline;
}

export const weights_file = "rwkv.safetensors";
export const tokenizer_file = "tokenizer.txt";
export const vision_file = "vision.onnx";
export const compressor_file = "vtc.safetensors";

/** v7.04 has a fixed number that no tensor tells; and what a frame of a stream is worth where nobody says more. */
const tiles_default = 4;
/** What the official evaluator of v7 puts in front, for those who compare with it. */
const official_padding = { token: 261, multiple: 16 };
/** The official evaluators take the most likely token, at most 128 of them. */
const greedy = { temperature: 0, top_p: 1, presence_penalty: 0, count_penalty: 0 };

/** Everything but `sources`, which are known when the files are written. */
export function planManifest(
  findings: Findings,
  vision: PlannedVision | undefined,
  tokenizer: Tokenizer | undefined,
  options: PlanOptions,
): Omit<ManifestInput, "sources"> {
  const { sizes } = findings.language;
  const version = findings.vision?.choice.version;
  const answers_like_evaluator = version !== undefined && version.name !== "plain";
  return {
    format: "gander-bundle",
    format_version: 1,
    name: options.name,
    licence: options.licence,
    description: version === undefined
      ? `RWKV-${sizes.generation}, text only.`
      : `${version.title}, RWKV-${sizes.generation}.`,
    trained: !(vision?.tower.untrained_projector ?? false),
    rwkv: {
      file: weights_file,
      version: sizes.generation,
      layers: sizes.layers,
      width: sizes.width,
      vocab: sizes.vocab,
    },
    vision: vision === undefined ? null : planVision(findings, version!, vision, options),
    tokenizer: tokenizer === undefined ? null : { file: tokenizer_file },
    stop: { tokens: tokenizer === undefined ? [] : paragraphToken(tokenizer), text: "\n\n" },
    policy: options.policy ?? (version === undefined ? "stream" : "refresh"),
    image: vision === undefined ? null : planImage(version!, vision, options),
    ...(answers_like_evaluator
      ? {
        caption: { tokens_max: 64, sampler: greedy, speak_threshold: 0.5 },
        answer: { tokens_max: 128, sampler: greedy },
      }
      : {}),
    limits_note: limitsNote(version, vision),
  };
}

/** The end of a turn, where it is one token. */
function paragraphToken(tokenizer: Tokenizer): number[] {
  const tokens = tokenizer.encode("\n\n");
  return tokens.length === 1 ? tokens : [];
}

function planVision(
  { compressor, vision }: Findings,
  version: Version,
  { outline }: PlannedVision,
  { tiles, tokens_per_image }: PlanOptions,
): NonNullable<ManifestInput["vision"]> {
  const side_px = Math.max(...outline.inputs.map(({ width_px }) => width_px));
  // A frame is worth as many pixels as the towers look at.
  const times = version.views === "whole_and_quarters"
    ? 2
    : version.tiling === undefined
    ? 1
    : Math.ceil(Math.sqrt(tiles ?? tiles_default));
  const frame_px = Math.min(import_limits.frame_side_px_max, side_px * times);
  const tiles_fixed = version.tiling === "fixed" ? tiles ?? tiles_default : null;
  // As each tower's own preprocessor does; tiles are made by VisualRWKV itself.
  const kind = vision?.towers.encoders[0]?.kind;
  return {
    file: vision_file,
    width_px: frame_px,
    height_px: frame_px,
    vectors_per_frame: compressor === undefined
      ? outline.vectors
      : compressedVectors(outline.vectors, tiles_fixed, tokens_per_image),
    fit: kind === "clip" ? "crop" : "stretch",
    filter: version.tiling !== undefined ? "lanczos" : kind === "siglip_hf" ? "bilinear" : "bicubic",
    inputs: outline.inputs.map(({ name, width_px, height_px }) => ({ name, width_px, height_px })),
    views: version.views,
    tiling: version.tiling === undefined ? null : {
      criterion: version.tiling === "waste" ? "waste" : "closest",
      tiles_max: tiles_fixed ?? tiles ?? import_limits.tiles_max,
      tiles_fixed,
    },
    compressor: compressor === undefined
      ? null
      : { file: compressor_file, layers: compressor.sizes.layers, padding: 16 },
  };
}

/** --tokens-per-image counts a picture of v7.03 (1024: four tiles' worth), but each of the fixed tiles of v7.04. */
function compressedVectors(
  tile_vectors: number,
  tiles_fixed: number | null,
  tokens_per_image: number | undefined,
): number {
  return tiles_fixed === null
    ? tokens_per_image ?? tile_vectors * 4
    : (tokens_per_image ?? tile_vectors) * tiles_fixed;
}

function planImage(
  version: Version,
  { tower, outline }: PlannedVision,
  { position }: PlanOptions,
): NonNullable<ManifestInput["image"]> {
  const scanned = version.scan !== "row_major" && tower.grid > 0 && outline.vectors > 1;
  return {
    position: position ?? version.position,
    foreword: version.foreword,
    images_max: version.images_max,
    scan: scanned ? version.scan : "row_major",
    scan_rows: scanned ? tower.grid : 0,
    scan_columns: scanned ? tower.grid : 0,
    picture_end: version.end_tokens?.picture ?? null,
    turn_end: version.end_tokens?.turn ?? null,
    official_padding: version.name.startsWith("v7.") ? official_padding : null,
  };
}

function limitsNote(version: Version | undefined, vision: PlannedVision | undefined): string {
  if (version === undefined) return "";
  if (vision?.tower.untrained_projector) {
    return "The projector between tower and language model is random: it sees nothing until it is trained.";
  }
  return "Trained on questions about pictures, not on video: captions may repeat themselves, miss what moves, and " +
    "name what is not there. Nobody should rely on them.";
}
