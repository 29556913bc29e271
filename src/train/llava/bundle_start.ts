// A bundle as the beginning of a visual stage: its language model, its projector cut out of the tower, the tower in front of
// it; and the bundle that is made of it when it has learned. Must not know data or trainers.
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { manifest_file, readBundle } from "../../model/bundle.ts";
import { fillFolder } from "../../model/import/bundle_folder.ts";
import { hashFile } from "../../model/bundle_files.ts";
import { inspect } from "../../model/import/inspect.ts";
import { openCheckpoint } from "../../model/import/open_checkpoint.ts";
import { sortTensors } from "../../model/import/parts.ts";
import { writeSafetensors } from "../../model/import/safetensors_writer.ts";
import { storedEntry } from "../../model/import/stored_weights.ts";
import type { Manifest } from "../../model/manifest.ts";
import { Tokenizer } from "../../model/tokenizer.ts";
import { cutProjector, type CutTower } from "../../vision/onnx/projector_cut.ts";
import { openVision } from "../../vision/vision.ts";
import type { NamedTensor } from "../ports.ts";
import { DataError } from "./errors.ts";
import { pictureFeatures } from "./feature_tower.ts";
import { projectorKind } from "./fresh_projector.ts";
import { readTensor } from "./memory_checkpoint.ts";
import { checkSizes, readParameters } from "./visual_model.ts";
import type { TaughtBundle, VisualStart, VisualStartOptions } from "./visual_start.ts";

/** Whether a path is a bundle's folder. */
export async function isBundle(path: string): Promise<boolean> {
  return (await Deno.stat(join(path, manifest_file)).catch(() => undefined))?.isFile ?? false;
}

/** Throws DataError, ModelError and ImportError. */
export async function startFromBundle(dir: string, options: VisualStartOptions): Promise<VisualStart> {
  const bundle = await readBundle(dir);
  const { manifest, weights_path, vision_path, tokenizer_path } = bundle;
  const refuse = (reason: string): never => {
    throw new DataError("data_options", `Cannot train the bundle "${dir}": ${reason}`);
  };
  const { vision, image } = manifest;
  if (vision === null || image === null || vision_path === undefined) {
    return refuse("it was not made for questions about pictures; --vision_tower_dir brings a tower");
  }
  if (vision.compressor !== null || image.turn_end !== null) {
    return refuse("models with a token compressor or contrastive alignment are not trained");
  }
  const cut = await cutProjector(
    await Deno.readFile(vision_path),
    async (location, offset, length) =>
      await readPart(join(vision_path, "..", basename(location)), offset, length),
  ).catch((error) => {
    if (error instanceof RangeError) return refuse(error.message);
    throw error;
  });
  const { proj_type, tokens_per_image } = options;
  if (proj_type !== undefined && projectorKind(proj_type) !== cut.kind) {
    return refuse(`its projector is ${cut.kind}, --proj_type says ${proj_type}`);
  }
  if (tokens_per_image !== undefined && tokens_per_image !== cut.vectors) {
    return refuse(`its pictures have ${cut.vectors} vectors, --num_token_per_image says ${tokens_per_image}`);
  }
  await using checkpoint = await openCheckpoint([weights_path]);
  const { language } = inspect(checkpoint);
  checkSizes(language.sizes, options, weights_path);
  return {
    file: dir,
    title: manifest.name,
    notes: image.scan === "row_major"
      ? []
      : ["Its layers read pictures in several directions; here they learn to read row by row."],
    sizes: language.sizes,
    projector: cut.kind,
    fresh_projector: false,
    async parameters() {
      await using again = await openCheckpoint([weights_path]);
      return new Map([...await readParameters({ ...inspect(again), vision: undefined }), ...cut.tensors]);
    },
    async findTokenizer(path) {
      const place = path ?? tokenizer_path;
      return place && { place, tokenizer: Tokenizer.parse(await Deno.readFile(place), place) } || undefined;
    },
    async openTower({ dir: folder, threads, decodePicture, log }) {
      await Deno.mkdir(folder, { recursive: true });
      const model_path = join(folder, "tower.onnx");
      await Deno.writeFile(model_path, cut.features_model);
      for (const { path } of dataFiles(manifest)) await placeBeside(join(dir, path), join(folder, path));
      const { width_px, height_px, fit, filter, inputs, views, tiling } = vision;
      const sight = { width_px, height_px, fit, filter, inputs, views, tiling };
      const opened = await openVision({
        ...{
          model_path,
          ...sight,
          vectors_per_frame: cut.vectors,
          vector_width: cut.feature_width,
          threads,
          log,
        },
      });
      const hash = createHash("sha256").update(JSON.stringify([sight, dataFiles(manifest)]))
        .update(cut.features_model).digest("hex");
      return {
        ...{ width: cut.feature_width, rows: tiling ? undefined : cut.vectors, hash },
        features: (bytes, name) => pictureFeatures(opened, decodePicture, bytes, name),
        [Symbol.asyncDispose]: () => opened.close(),
      };
    },
    unchanged: () => Promise.resolve(new Map<string, NamedTensor>()),
    saveBundle: (path, taught) => saveTaught(path, taught, { dir, manifest, cut }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Constants of the tower that stand beside its graph. */
function dataFiles({ sources, vision }: Manifest): { path: string; sha256: string }[] {
  return sources.filter(({ path }) => path === `${vision!.file}.data`).map(({ path, sha256 }) => ({
    path,
    sha256,
  }));
}

/** A link where the disk can: such a file may have gigabytes. */
async function placeBeside(from: string, to: string): Promise<void> {
  await Deno.remove(to).catch(() => {}); // of a run before
  await Deno.link(from, to).catch(() => Deno.copyFile(from, to));
}

async function readPart(path: string, offset: number, length: number): Promise<Uint8Array> {
  using file = await Deno.open(path, { read: true });
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let end = 0; end < length;) {
    const count = await file.read(bytes.subarray(end));
    if (count === null) throw new RangeError(`"${basename(path)}" is cut short`);
    end += count;
  }
  return bytes;
}

/** Everything but language model and projector is as it was. */
async function saveTaught(
  weights_path: string,
  { dir: to, name, licence, image_position, images_most, tokenizer_path }: TaughtBundle,
  { dir, manifest, cut }: { dir: string; manifest: Manifest; cut: CutTower },
): Promise<void> {
  await using checkpoint = await openCheckpoint([weights_path]);
  const parts = sortTensors(checkpoint);
  if (typeof parts === "string") {
    throw new DataError("data_invalid", `Cannot read "${weights_path}": ${parts}`);
  }
  const projector = new Map<string, NamedTensor>();
  for (const [part, tensor] of parts.projector) projector.set(`proj.${part}`, await readTensor(tensor));
  await fillFolder(to, true, async (folder) => {
    const changed: Record<string, (path: string) => Promise<unknown>> = {
      [manifest.rwkv.file]: (path) =>
        writeSafetensors(
          path,
          [...parts.language.values()].map((tensor) => storedEntry(tensor, "keep", () => {})),
        ),
      [manifest.vision!.file]: (path) =>
        Deno.writeFile(
          path,
          cut.rejoin(projector),
        ),
      ...tokenizer_path !== undefined && manifest.tokenizer !== null
        ? { [manifest.tokenizer.file]: (path: string) => Deno.copyFile(tokenizer_path, path) }
        : {},
    };
    const sources: Manifest["sources"] = [];
    for (const source of manifest.sources) {
      const path = join(folder, source.path);
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await (changed[source.path] ?? ((target) => Deno.copyFile(join(dir, source.path), target)))(path);
      const origin = changed[source.path] ? `trained from ${manifest.name}`.slice(0, 500) : source.origin;
      sources.push({
        path: source.path,
        bytes: (await Deno.stat(path)).size,
        sha256: await hashFile(path),
        origin,
      });
    }
    const image = {
      ...manifest.image!,
      ...{ position: image_position, images_max: Math.max(manifest.image!.images_max, images_most) },
      ...{ scan: "row_major" as const, scan_rows: 0, scan_columns: 0 },
    };
    const whole = { ...manifest, name, sources, image, trained: true, licence: licence ?? manifest.licence };
    await Deno.writeTextFile(join(folder, manifest_file), `${JSON.stringify(whole, null, 2)}\n`);
  });
}
