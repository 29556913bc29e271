// What a stage starts from: a language model of any spelling, with the tower and the projector that stand in the same file
// or beside it, or with a projector that is made. Owns the open files. Must not know data or trainers.
import type { Checkpoint } from "../../model/import/checkpoint.ts";
import { type Findings, inspect } from "../../model/import/inspect.ts";
import { openCheckpoint } from "../../model/import/open_checkpoint.ts";
import { sortTensors } from "../../model/import/parts.ts";
import { findSizes, type LanguageSizes } from "../../model/import/language_sizes.ts";
import { findTowers } from "../../model/import/towers.ts";
import { readTowerConfig, type TowerConfig } from "../../model/import/tower_config.ts";
import type { NamedTensor } from "../ports.ts";
import { DataError } from "./errors.ts";
import { freshProjector, projectorKind, type ProjectorType } from "./fresh_projector.ts";
import { besideCheckpoint, readTensor } from "./memory_checkpoint.ts";

/** Sizes a command line states; what it does not is taken from the file. */
export interface StatedSizes {
  vocab_size?: number | undefined;
  n_layer?: number | undefined;
  n_embd?: number | undefined;
  dim_ffn?: number | undefined;
}

export interface VisualModelOptions extends StatedSizes {
  /** A VisualRWKV, or a plain RWKV. */
  paths: readonly string[];
  /** Tower (and projector) beside it; none where the first has them. */
  tower_paths: readonly string[];
  /** Undefined: the file's; where it has none, linear. */
  proj_type: ProjectorType | undefined;
  /** Which VisualRWKV, where tensors cannot tell. */
  version: string | undefined;
  /** Of a projector that is made. */
  seed: number;
}

export interface VisualModel extends AsyncDisposable {
  /** The model's own files. */
  checkpoint: Checkpoint;
  findings: Findings;
  file: string;
  tower_config: TowerConfig;
  /** What the importer must be told when the released version scans in another way; undefined: nothing. */
  scan: "row_major" | undefined;
  /** There was no projector: this one is random. */
  fresh_projector: boolean;
  /** The trainer's: official names of the language model, and "proj." */
  parameters(): Promise<Map<string, NamedTensor>>;
  /** Tensors of the tower where it stands in the model's own file, under the names there. */
  ownTower(): Promise<Map<string, NamedTensor>>;
}

/** Throws ImportError and DataError; nothing is left open then. */
export async function openVisualModel(options: VisualModelOptions): Promise<VisualModel> {
  await using opened = new AsyncDisposableStack();
  const checkpoint = opened.use(await openCheckpoint(options.paths));
  const beside = options.tower_paths.length > 0
    ? opened.use(await openCheckpoint(options.tower_paths))
    : undefined;
  const file = checkpoint.files[0]!.path;
  if ([...beside?.tensors.keys() ?? []].some((name) => name.startsWith("proj."))) {
    throw new DataError(
      "data_options",
      `Cannot train "${file}": the tower's file has a projector; give it as --proj_path`,
    );
  }
  const fresh = makeProjector(checkpoint, beside, options, file);
  const tower = fresh === undefined ? beside : besideCheckpoint(beside, fresh);
  const released = inspect(checkpoint, tower, { version: options.version });
  // What is trained here reads pictures row by row, whatever a version did with its layers.
  const scan = released.vision?.choice.version.scan === "row_major" ? undefined : "row_major";
  const findings = scan ? inspect(checkpoint, tower, { version: options.version, scan }) : released;
  checkSizes(findings.language.sizes, options, file);
  if (findings.compressor !== undefined || findings.vision?.choice.version.end_tokens !== undefined) {
    const what = findings.compressor === undefined ? "contrastive alignment" : "a token compressor";
    throw new DataError("data_options", `Cannot train "${file}": models with ${what} are not trained`);
  }
  const kind = findings.vision?.projector?.kind;
  if (options.proj_type !== undefined && kind !== undefined && projectorKind(options.proj_type) !== kind) {
    throw new DataError(
      "data_options",
      `Cannot train "${file}": its projector is ${kind}, --proj_type says ${options.proj_type}`,
    );
  }
  const owned = opened.move();
  return {
    checkpoint,
    findings,
    file,
    tower_config: beside === undefined ? {} : readTowerConfig(beside),
    scan,
    fresh_projector: fresh !== undefined,
    parameters: () => readParameters(findings),
    async ownTower() {
      const tensors = new Map<string, NamedTensor>();
      for (const [name, tensor] of checkpoint.tensors) {
        if (name.startsWith("vit.")) tensors.set(name, await readTensor(tensor));
      }
      return tensors;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Undefined when one is there, or when there is no tower to project from; inspect() finds the words for that. */
function makeProjector(
  checkpoint: Checkpoint,
  beside: Checkpoint | undefined,
  { proj_type = "linear", seed }: VisualModelOptions,
  file: string,
): Map<string, NamedTensor> | undefined {
  const parts = sortTensors(checkpoint);
  const tower = beside === undefined ? undefined : sortTensors(beside);
  if (typeof parts === "string" || typeof tower === "string") return undefined;
  if (parts.projector.size > 0 || (tower?.projector.size ?? 0) > 0) return undefined;
  const vision = parts.vision.size > 0 ? parts.vision : tower?.vision;
  if (vision === undefined || vision.size === 0) {
    throw new DataError(
      "data_options",
      `Cannot train "${file}" on pictures: there is no vision tower; --vision_tower_dir`,
    );
  }
  const sizes = findSizes(parts.language, true);
  const towers = findTowers(vision);
  if (typeof sizes === "string" || towers.problems.length > 0) return undefined;
  const kind = projectorKind(proj_type);
  const views = kind === "relu" ? 2 : 1;
  return freshProjector(kind, views * towers.feature_width, sizes.width, seed);
}

export function checkSizes(sizes: LanguageSizes, stated: StatedSizes, file: string): void {
  const { generation, vocab, layers, width, hidden } = sizes;
  const refuse = (reason: string): never => {
    throw new DataError("data_options", `Cannot train "${file}": ${reason}`);
  };
  if (generation === 5) refuse("RWKV-5 is not trained, RWKV-6 and RWKV-7 are");
  const found = { vocab_size: vocab, n_layer: layers, n_embd: width, dim_ffn: hidden };
  for (const [flag, wanted] of Object.entries(stated)) {
    const there = found[flag as keyof typeof found];
    if (there !== undefined && wanted !== undefined && wanted !== there) {
      refuse(`--${flag} is ${wanted}, the file has ${there}`);
    }
  }
}

export async function readParameters({ language, vision }: Findings): Promise<Map<string, NamedTensor>> {
  const parameters = new Map<string, NamedTensor>();
  for (const tensor of language.tensors) parameters.set(tensor.name, await readTensor(tensor));
  for (const [name, tensor] of vision?.projector_tensors ?? []) {
    // UHD stores a gate that is never used.
    if (vision!.projector!.unused.includes(name)) continue;
    parameters.set(`proj.${name}`, await readTensor(tensor));
  }
  return parameters;
}
