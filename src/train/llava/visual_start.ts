// What a visual stage needs of whatever it begins with, checkpoint files or a bundle. Types, and the files' side of it.
// Must not know data or trainers.
import { findTokenizer } from "../../model/import/find_tokenizer.ts";
import type { LanguageSizes } from "../../model/import/language_sizes.ts";
import type { ProjectorKind } from "../../model/import/tower_port.ts";
import type { Tokenizer } from "../../model/tokenizer.ts";
import type { NamedTensor } from "../ports.ts";
import { type DecodePicture, openFeatureTower } from "./feature_tower.ts";
import type { FeatureSource } from "./features.ts";
import { saveBundle } from "./saved_weights.ts";
import type { ImagePosition } from "./turn_texts.ts";
import { openVisualModel, type VisualModelOptions } from "./visual_model.ts";

export interface TowerPlace {
  /** Where model files go. */
  dir: string;
  threads: number;
  decodePicture: DecodePicture;
  log: (line: string) => void;
}

export interface TaughtBundle {
  dir: string;
  name: string;
  licence: string | undefined;
  tokenizer_path: string | undefined;
  image_position: ImagePosition;
  /** Pictures of the sample that has most. */
  images_most: number;
}

export interface VisualStart extends AsyncDisposable {
  /** For messages. */
  file: string;
  title: string;
  /** What a person should know of it. */
  notes: string[];
  sizes: LanguageSizes;
  projector: ProjectorKind;
  fresh_projector: boolean;
  /** The trainer's: official names of the language model, and "proj." */
  parameters(): Promise<Map<string, NamedTensor>>;
  findTokenizer(path: string | undefined): Promise<{ tokenizer: Tokenizer; place: string } | undefined>;
  openTower(place: TowerPlace): Promise<FeatureSource>;
  /** Tensors that stand in its file and go unchanged into the files that are saved. */
  unchanged(): Promise<Map<string, NamedTensor>>;
  /** The bundle of a file of weights that was saved. */
  saveBundle(weights_path: string, taught: TaughtBundle): Promise<void>;
}

export interface VisualStartOptions extends VisualModelOptions {
  tokens_per_image: number | undefined;
}

/** Throws ImportError and DataError. */
export async function startFromFiles(options: VisualStartOptions): Promise<VisualStart> {
  const { tower_paths, tokens_per_image } = options;
  const model = await openVisualModel(options);
  const { findings, file, tower_config: config, scan } = model;
  const { choice, projector } = findings.vision!;
  return {
    file,
    title: choice.version.title,
    notes: [
      ...choice.assumed === undefined ? [] : [choice.assumed],
      ...scan === undefined
        ? []
        : ["Its layers read pictures in several directions; here they learn to read row by row."],
    ],
    sizes: findings.language.sizes,
    projector: projector!.kind,
    fresh_projector: model.fresh_projector,
    parameters: model.parameters,
    findTokenizer: (path) => findTokenizer(model.checkpoint, findings.language.sizes.vocab, path),
    openTower: (place) =>
      openFeatureTower({ findings, file, config, tokens_per_image, tiles: undefined, ...place }),
    unchanged: () => tower_paths.length > 0 ? Promise.resolve(new Map()) : model.ownTower(),
    saveBundle: (weights_path, { images_most, image_position: position, ...taught }) =>
      saveBundle({
        ...{ paths: [weights_path], tower_paths, tokens_per_image, scan, position, ...taught },
        version: choice.version.name,
      }, images_most),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}
