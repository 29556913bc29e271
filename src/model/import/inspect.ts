// What a checkpoint is: its language model, towers, projector, compressor and version, complete or refused with every
// problem that can be seen at once. Reads names, shapes and metadata, no weights. Must not know bundles.
import { basename } from "node:path";
import { problemText } from "../errors.ts";
import type { Checkpoint, CheckpointTensor } from "./checkpoint.ts";
import { type Choice, chooseVersion } from "./choose_version.ts";
import { renamed } from "./derived_tensor.ts";
import { isPlain } from "./element_types.ts";
import { ImportError, quote } from "./import_error.ts";
import {
  countParameters,
  findSizes,
  isDeadWeight,
  type LanguageSizes,
  wantedTensors,
} from "./language_sizes.ts";
import { emptyParts, type Parts, sortTensors, type Tensors } from "./parts.ts";
import { findProjector, type FoundProjector } from "./projectors.ts";
import { findForeignSettings } from "./stated_settings.ts";
import { explainUnknown } from "./strangers.ts";
import { compare, listNames, problemsOf } from "./tensor_table.ts";
import { findTowers, type FoundTowers } from "./towers.ts";
import type { Scan, TowerSet } from "./versions.ts";

export interface BlockStack {
  sizes: LanguageSizes;
  /** Official names and shapes, in the order of official files. */
  tensors: CheckpointTensor[];
  parameters: number;
}

export interface Findings {
  spelling: Exclude<Parts["spelling"], undefined>;
  language: BlockStack;
  /** Undefined: text only. */
  vision: {
    towers: FoundTowers;
    /** Undefined: there is none, and one has to be made. */
    projector: FoundProjector | undefined;
    tensors: Tensors;
    projector_tensors: Tensors;
    choice: Choice;
  } | undefined;
  compressor: BlockStack | undefined;
  /** The file's names of tensors that are there, known and never used. */
  unused: string[];
}

export interface InspectOptions {
  /** --version. */
  version?: string | undefined;
  /** --scan. */
  scan?: Scan | undefined;
}

/** Throws ImportError `import_refused`. `tower` is a checkpoint of its own that holds the vision tower. */
export function inspect(
  checkpoint: Checkpoint,
  tower?: Checkpoint,
  { version, scan }: InspectOptions = {},
): Findings {
  const refuse = (problems: readonly string[]): never => {
    throw new ImportError("import_refused", problemText(`Cannot import ${filesText(checkpoint)}`, problems));
  };
  const parts = sortTensors(checkpoint);
  if (typeof parts === "string") return refuse([parts]);
  const tower_parts = tower === undefined ? emptyParts() : sortTensors(tower);
  if (typeof tower_parts === "string") return refuse([tower_parts]);
  if (tower_parts.language.size > 0) return refuse(["the files of --tower hold a language model, too"]);

  const problems = findForeignSettings(checkpoint.metadata);
  const unknown = [...parts.unknown, ...tower_parts.unknown];
  const unused = [...parts.unused, ...tower_parts.unused];
  const readStack = (what: string, table: Tensors, with_words: boolean): BlockStack | undefined => {
    const sizes = findSizes(table, with_words);
    if (typeof sizes === "string") {
      const strangers = explainUnknown([...table.keys()]).filter((text) => !text.startsWith("unknown"));
      problems.push(...(strangers.length > 0 ? strangers : [`${what}: ${sizes}`]));
      return undefined;
    }
    const wanted = wantedTensors(sizes);
    problems.push(...problemsOf(what, compare(table, wanted)));
    for (const name of table.keys()) {
      if (wanted.has(name)) continue;
      (isDeadWeight(name) ? unused : unknown).push(table.get(name)!.name);
    }
    const tensors = [...wanted].flatMap(([name, shape]) => {
      const tensor = table.get(name);
      return tensor === undefined ? [] : [renamed(tensor, name, shape)];
    });
    return { sizes, tensors, parameters: countParameters(wanted) };
  };

  if (parts.language.size === 0 && unknown.length === 0) problems.push("it holds no language model");
  const language = parts.language.size > 0 ? readStack("language model", parts.language, true) : undefined;
  const compressor = parts.compressor.size > 0
    ? readStack("token compressor", parts.compressor, false)
    : undefined;
  if (compressor !== undefined && compressor.sizes.generation !== 7) {
    problems.push(`token compressor: made of RWKV-${compressor.sizes.generation} blocks, RWKV-7 is known`);
  }

  const vision_tensors = parts.vision.size > 0 ? parts.vision : tower_parts.vision;
  if (parts.vision.size > 0 && tower_parts.vision.size > 0) {
    problems.push("it has a vision tower; --tower gives another one");
  }
  const projector_tensors: Tensors = new Map([...parts.projector, ...tower_parts.projector]);
  const vision = language === undefined
    ? undefined
    : readVision(vision_tensors, projector_tensors, language.sizes, problems, unknown, unused);

  problems.push(...explainUnknown(unknown));
  problems.push(
    ...refuseTypes([parts.language, parts.compressor, vision_tensors, projector_tensors], unused),
  );
  if (problems.length > 0) return refuse(problems);
  if (language === undefined || parts.spelling === undefined) return refuse(["it holds no language model"]);
  if (compressor !== undefined && compressor.sizes.width !== language.sizes.width) {
    return refuse([
      `token compressor: its width is ${compressor.sizes.width}, the language model's ${language.sizes.width}`,
    ]);
  }
  if (vision === undefined) {
    const flag = version !== undefined ? "--version" : scan !== undefined ? "--scan" : undefined;
    if (flag !== undefined) refuse([`${flag} is about models that see; the file has no vision tower`]);
    return { spelling: parts.spelling, language, vision: undefined, compressor: undefined, unused };
  }
  const choice = chooseVersion({
    generation: language.sizes.generation,
    towers: towerSet(vision.towers),
    projector: vision.projector?.kind,
    compressor: compressor !== undefined,
    file_names: checkpoint.files.map(({ path }) => basename(path)),
    wanted: version,
    scan,
  });
  if (typeof choice === "string") return refuse([choice]);
  const seen = { ...vision, tensors: vision_tensors, projector_tensors, choice };
  return { spelling: parts.spelling, language, vision: seen, compressor, unused };
}

function readVision(
  tensors: Tensors,
  projector_tensors: Tensors,
  { width }: LanguageSizes,
  problems: string[],
  unknown: string[],
  unused: string[],
): { towers: FoundTowers; projector: FoundProjector | undefined } | undefined {
  if (tensors.size === 0) {
    if (projector_tensors.size > 0) {
      problems.push("it has a projector and no vision tower; --tower FILE brings the tower");
    }
    return undefined;
  }
  const towers = findTowers(tensors);
  problems.push(...towers.problems);
  unknown.push(...towers.unknown.map((name) => tensors.get(name)!.name));
  unused.push(...towers.unused.map((name) => tensors.get(name)!.name));
  const projector = findProjector(projector_tensors, towers.feature_width);
  if (typeof projector === "string") {
    problems.push(projector);
    return undefined;
  }
  if (projector === undefined) return { towers, projector };
  problems.push(...projector.problems);
  unknown.push(...projector.unknown.map((name) => projector_tensors.get(name)!.name));
  unused.push(...projector.unused.map((name) => projector_tensors.get(name)!.name));
  const views = projector.kind === "relu" ? 2 : 1;
  if (towers.problems.length === 0 && projector.inputs !== views * towers.feature_width) {
    problems.push(
      `projector: it reads ${projector.inputs} features, the towers make ${views * towers.feature_width}`,
    );
  }
  if (projector.outputs !== width) {
    problems.push(`projector: its vectors have width ${projector.outputs}, the language model has ${width}`);
  }
  return { towers, projector };
}

/** Counters and flags in the place of weights. */
function refuseTypes(parts: readonly Tensors[], unused: readonly string[]): string[] {
  const dead = new Set(unused);
  const odd = parts.flatMap((tensors) => [...tensors.values()]).filter(({ type, name }) =>
    isPlain(type) && !["f64", "f32", "f16", "bf16"].includes(type) && !dead.has(name)
  );
  if (odd.length === 0) return [];
  return [`no weights but ${odd[0]!.type}: ${listNames(odd.map(({ name }) => name))}`];
}

function towerSet({ encoders }: FoundTowers): TowerSet {
  if (encoders.length === 3) return "three";
  return encoders[0]!.kind === "clip" ? "clip" : "siglip_hf";
}

function filesText({ files }: Checkpoint): string {
  const [first, ...more] = files.map(({ path }) => quote(path));
  return more.length === 0 ? first! : `${first} and ${more.length} more`;
}
