// A checkpoint becomes a bundle: opened, understood, planned, written, and only then put in its place. The order of
// these steps is what this file owns; each step has its own. Must not know commands or ONNX.
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { manifest_file } from "../bundle.ts";
import { ModelError, problemText } from "../errors.ts";
import { type ManifestInput, readManifest } from "../manifest.ts";
import { checkPlace, checkRoom, fillFolder, refuseInside } from "./bundle_folder.ts";
import type { Checkpoint, CheckpointTensor } from "./checkpoint.ts";
import { findTokenizer, type FoundTokenizer } from "./find_tokenizer.ts";
import { type Findings, inspect } from "./inspect.ts";
import { estimateMemory, type MemoryEstimate } from "./estimates.ts";
import { defaultLicence, defaultName } from "./names_of_files.ts";
import { openCheckpoint } from "./open_checkpoint.ts";
import {
  compressor_file,
  planManifest,
  type PlannedVision,
  type PlanOptions,
  tokenizer_file,
  vision_file,
  weights_file,
} from "./plan_manifest.ts";
import { planTower } from "./plan_tower.ts";
import { writeSafetensors } from "./safetensors_writer.ts";
import { entryBytes, type StoredAs, storedEntry, storedType } from "./stored_weights.ts";
import { readTowerConfig } from "./tower_config.ts";
import type { TowerWriter, VisionWeights } from "./tower_port.ts";
import { towerRefusal } from "./tower_refusal.ts";
import type { Scan } from "./versions.ts";

export interface ImportRequest extends Omit<PlanOptions, "name" | "licence"> {
  paths: readonly string[];
  tower_paths: readonly string[];
  dir: string;
  force: boolean;
  stored_as: StoredAs;
  vision_weights: VisionWeights;
  tokenizer_path?: string | undefined;
  /** --version. */
  version?: string | undefined;
  /** --scan. */
  scan?: Scan | undefined;
  name?: string | undefined;
  licence?: string | undefined;
}

export interface ImportWatch {
  signal?: AbortSignal;
  /** Bytes written of all that will be. */
  onProgress?: (what: string, done_bytes: number, total_bytes: number) => void;
}

export interface ImportReport {
  findings: Findings;
  manifest: ManifestInput;
  /** Undefined: none was found, and nothing can be asked or said. */
  tokenizer: Pick<FoundTokenizer, "place" | "origin"> | undefined;
  memory: MemoryEstimate;
  /** Patches and vectors of the tower; undefined without one. */
  vision: PlannedVision | undefined;
  /** Containers of the files, without repeats. */
  containers: string[];
  /** Types in the file → types in the bundle, of the large matrices. */
  types: string[];
}

/**
 * Throws ImportError or ModelError, and the signal's reason when it aborts; nothing is left in `request.dir` then.
 * Weights pass through in pieces: memory does not grow with the file.
 */
export async function importBundle(
  request: ImportRequest,
  writer: TowerWriter,
  { signal, onProgress = () => {} }: ImportWatch = {},
): Promise<ImportReport> {
  const inputs = [...request.paths, ...request.tower_paths, request.tokenizer_path ?? []].flat();
  await refuseInside(request.dir, inputs);
  await checkPlace(request.dir, request.force);
  await using checkpoint = await openCheckpoint(request.paths);
  await using tower = request.tower_paths.length > 0 ? await openCheckpoint(request.tower_paths) : undefined;
  const findings = inspect(checkpoint, tower, request);
  const tokenizer = await findTokenizer(checkpoint, findings.language.sizes.vocab, request.tokenizer_path);
  const vision = planVision(findings, checkpoint, tower, request, writer);
  const manifest = planManifest(findings, vision, tokenizer?.tokenizer, {
    ...request,
    name: request.name ?? defaultName(checkpoint),
    licence: request.licence ?? defaultLicence(checkpoint, findings),
  });
  refuseUnfit({ ...manifest, sources: [{ path: "x", bytes: 0, sha256: "0".repeat(64), origin: "" }] });

  const stacks: [string, readonly CheckpointTensor[]][] = [[weights_file, findings.language.tensors]];
  if (findings.compressor !== undefined) stacks.push([compressor_file, findings.compressor.tensors]);
  const stack_bytes = stacks.map(([, tensors]) =>
    tensors.reduce((sum, tensor) => sum + entryBytes(tensor, request.stored_as), 0)
  );
  const vision_bytes = vision?.outline.weight_bytes ?? 0;
  const total_bytes = stack_bytes.reduce((sum, bytes) => sum + bytes, vision_bytes);

  return await fillFolder(request.dir, request.force, async (folder) => {
    await checkRoom(folder, total_bytes + (tokenizer?.bytes.length ?? 0) + (16 << 20));
    const origin = `converted from ${checkpoint.files.map(({ path }) => basename(path)).join(", ")}`.slice(
      0,
      500,
    );
    const sources: ManifestInput["sources"] = [];
    let done_bytes = 0;
    const onPiece = () => signal?.throwIfAborted();
    for (const [index, [file, tensors]] of stacks.entries()) {
      const entries = tensors.map((tensor) => storedEntry(tensor, request.stored_as, onPiece));
      const written = await writeSafetensors(
        join(folder, file),
        entries,
        { origin },
        (bytes) => onProgress(file, done_bytes + Math.min(bytes, stack_bytes[index]!), total_bytes),
      );
      sources.push({ path: file, bytes: written.bytes, sha256: written.sha256, origin });
      done_bytes += stack_bytes[index]!;
    }
    if (vision !== undefined) {
      const { files } = await writer.write(
        vision.tower.plan,
        vision.tower.tensors,
        join(folder, vision_file),
        {
          weights: request.vision_weights,
          onProgress: (bytes) => {
            onPiece();
            onProgress(vision_file, done_bytes + bytes, total_bytes);
          },
        },
      ).catch((error) => {
        throw towerRefusal(error, checkpoint.files[0]!.path, vision.tower.source);
      });
      for (const { path, bytes, sha256 } of files) {
        sources.push({ path: basename(path), bytes, sha256, origin });
      }
    }
    if (tokenizer !== undefined) sources.push(await writeTokenizer(folder, tokenizer));
    signal?.throwIfAborted();
    const whole = { ...manifest, sources };
    refuseUnfit(whole);
    await writeManifest(folder, whole);
    return {
      findings,
      manifest: whole,
      tokenizer: tokenizer && { place: tokenizer.place, origin: tokenizer.origin },
      memory: estimateMemory(
        findings.language.sizes,
        [...findings.language.tensors, ...findings.compressor?.tensors ?? []].map((tensor) => ({
          type: storedType(tensor, request.stored_as),
          elements: tensor.elements,
        })),
        vision_bytes,
        request.vision_weights,
      ),
      vision,
      containers: [...new Set(checkpoint.files.map(({ container }) => container))],
      types: typesText(findings, request.stored_as),
    };
  });
}

function planVision(
  findings: Findings,
  checkpoint: Checkpoint,
  own_tower: Checkpoint | undefined,
  { tokens_per_image, vision_weights }: ImportRequest,
  writer: TowerWriter,
): PlannedVision | undefined {
  if (findings.vision === undefined) return undefined;
  const file = checkpoint.files[0]!.path;
  // A config.json beside a language model is about that.
  const config = own_tower === undefined ? {} : readTowerConfig(own_tower);
  const tower = planTower({ ...findings, vision: findings.vision }, file, tokens_per_image, config);
  try {
    return { tower, outline: writer.outline(tower.plan, tower.tensors, vision_weights) };
  } catch (error) {
    throw towerRefusal(error, file, tower.source);
  }
}

/** A mistake of ours or an option that no manifest may have, before anything is written. */
function refuseUnfit(manifest: ManifestInput): void {
  const checked = readManifest(manifest);
  if (!("problems" in checked)) return;
  const problems = checked.problems.filter((problem) => !problem.includes("is not among the sources"));
  if (problems.length > 0) {
    throw new ModelError("bundle_invalid", problemText("Cannot make a bundle", problems));
  }
}

async function writeTokenizer(folder: string, { bytes, origin }: FoundTokenizer) {
  await Deno.writeFile(join(folder, tokenizer_file), bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { path: tokenizer_file, bytes: bytes.length, sha256, origin: origin.slice(0, 500) };
}

/** Last of all: without it the folder is no bundle. */
async function writeManifest(folder: string, manifest: ManifestInput): Promise<void> {
  using file = await Deno.open(join(folder, manifest_file), { write: true, create: true });
  const bytes = new TextEncoder().encode(JSON.stringify(manifest, null, 2) + "\n");
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  await file.sync();
}

function typesText({ language }: Findings, stored_as: StoredAs): string[] {
  const large = language.tensors.filter(({ elements }) => elements >= language.sizes.width ** 2);
  const texts = large.map((tensor) => {
    const type = storedType(tensor, stored_as);
    return type === tensor.type ? type : `${tensor.type} → ${type}`;
  });
  return [...new Set(texts)];
}
