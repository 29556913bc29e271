// A tower without its projector, as a model of its own: the projector of the plan is put aside and the features go out as
// they are. Owns how pictures become features for training; the Worker that runs it is the one that serves.
// Must not know samples or language models.
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Findings } from "../../model/import/inspect.ts";
import type { TowerConfig } from "../../model/import/tower_config.ts";
import { planManifest } from "../../model/import/plan_manifest.ts";
import { planTower } from "../../model/import/plan_tower.ts";
import { towerRefusal } from "../../model/import/tower_refusal.ts";
import type { ManifestInput } from "../../model/manifest.ts";
import type { TowerPlan, TowerTensor } from "../../vision/onnx/tower_plan.ts";
import { outlineTower, writeTower } from "../../vision/onnx/write_tower.ts";
import { type OnnxVision, openVision } from "../../vision/vision.ts";
import { DataError } from "./errors.ts";
import { type FeatureSource, PictureFault } from "./features.ts";

/** Pixels of a picture file: streams/picture.ts satisfies it without being imported. */
export type DecodePicture = (
  bytes: Uint8Array,
  options: { name: string },
) => Promise<{ rgb: Uint8Array; width_px: number; height_px: number }>;

export interface FeatureTowerOptions {
  findings: Findings;
  /** For messages. */
  file: string;
  /** Heads and activation where the tower's config.json says them. */
  config: TowerConfig;
  /** Vectors of one picture; undefined: all. */
  tokens_per_image: number | undefined;
  /** v7.02: tiles of a picture. */
  tiles: number | undefined;
  /** Where the model file is written. */
  dir: string;
  threads: number;
  decodePicture: DecodePicture;
  log: (line: string) => void;
}

/** Codes that are about the picture: of the decoder, and of the vision for a picture of a size that it does not take. */
const picture_faults = ["format", "too_large", "limits", "vision_input"];

/** Put where the projector stands; a matrix of ones and zeros changes no bit and costs next to nothing beside a tower. */
const aside = "features.";

/** Writes the tower and opens it. Throws DataError, ImportError and VisionError. */
export async function openFeatureTower(options: FeatureTowerOptions): Promise<FeatureSource> {
  const { findings, file, config, tokens_per_image, tiles, dir, threads, decodePicture, log } = options;
  if (findings.vision === undefined) {
    throw new DataError("data_options", `There is no vision tower in "${file}"`);
  }
  const planned = planTower({ ...findings, vision: findings.vision }, file, tokens_per_image, config);
  const views = planned.plan.views === "whole" ? 1 : 2;
  const width = findings.vision.towers.feature_width * views;
  const plan: TowerPlan = { ...planned.plan, projector: { kind: "linear", prefix: aside } };
  const tensors = (name: string): TowerTensor | undefined =>
    name === `${aside}weight`
      ? { shape: [width, width], read: () => Promise.resolve(identity(width)) }
      : name.startsWith(aside)
      ? undefined
      : planned.tensors(name);
  const refusal = (error: unknown) => towerRefusal(error, file, planned.source);
  const outline = await Promise.try(outlineTower, plan, tensors, "fp32").catch((error) => {
    throw refusal(error);
  });
  const settings = planManifest(findings, { tower: planned, outline }, undefined, {
    ...{ name: "tower", licence: "none", tokens_per_image, tiles },
  }).vision as NonNullable<ManifestInput["vision"]>;
  await Deno.mkdir(dir, { recursive: true });
  const model_path = join(dir, "tower.onnx");
  const { files } = await writeTower(plan, tensors, model_path, { weights: "fp32" }).catch((error) => {
    throw refusal(error);
  });

  const { width_px, height_px, fit, filter, inputs, tiling } = settings;
  const sight = {
    ...{ width_px, height_px, fit, filter, inputs, views: planned.plan.views },
    tiling: tiling ? { ...tiling, tiles_fixed: tiling.tiles_fixed ?? null } : null,
  };
  const hash = createHash("sha256")
    .update(JSON.stringify([sight, outline.vectors, files.map(({ sha256 }) => sha256)]))
    .digest("hex");
  const vision = await openVision({
    ...{ model_path, ...sight, vectors_per_frame: outline.vectors, vector_width: width, threads, log },
  });
  return {
    width,
    rows: tiling ? undefined : outline.vectors,
    hash,
    features: (bytes, name) => pictureFeatures(vision, decodePicture, bytes, name),
    [Symbol.asyncDispose]: () => vision.close(),
  };
}

/** Rejects with PictureFault when it is about the picture. */
export async function pictureFeatures(
  vision: OnnxVision,
  decodePicture: DecodePicture,
  bytes: Uint8Array,
  name: string,
): Promise<Float32Array<ArrayBuffer>> {
  try {
    return await vision.encodePicture(await decodePicture(bytes, { name })) as Float32Array<ArrayBuffer>;
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    throw picture_faults.includes(code ?? "") ? new PictureFault(message, { cause: error }) : error;
  }
}

function identity(width: number): Float32Array {
  const matrix = new Float32Array(width * width);
  for (let i = 0; i < width; i++) matrix[i * (width + 1)] = 1;
  return matrix;
}
