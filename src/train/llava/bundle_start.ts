// A bundle as the beginning of a visual stage: its language model, its projector cut out of the tower, the tower in front of
// it; and the bundle that is made of it when it has learned. Must not know data or trainers.
import { join } from "node:path";
import { manifest_file, readBundle } from "../../model/bundle.ts";
import { inspect } from "../../model/import/inspect.ts";
import { openCheckpoint } from "../../model/import/open_checkpoint.ts";
import { sortTensors } from "../../model/import/parts.ts";
import { writeSafetensors } from "../../model/import/safetensors_writer.ts";
import { storedEntry } from "../../model/import/stored_weights.ts";
import type { Manifest } from "../../model/manifest.ts";
import { Tokenizer } from "../../model/tokenizer.ts";
import type { CutTower } from "../../vision/onnx/projector_cut.ts";
import type { NamedTensor } from "../ports.ts";
import { cutBundle, openCutTower, writeTaughtBundle } from "../taught_bundle.ts";
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
  const cut = await cutBundle(bundle).catch((error) => {
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
      const { vision: opened, hash } = await openCutTower(bundle, cut, { folder, threads, log });
      return {
        ...{ width: cut.feature_width, rows: vision.tiling ? undefined : cut.vectors, hash },
        features: (bytes, name) => pictureFeatures(opened, decodePicture, bytes, name),
        [Symbol.asyncDispose]: () => opened.close(),
      };
    },
    unchanged: () => Promise.resolve(new Map<string, NamedTensor>()),
    saveBundle: (path, taught) => saveTaught(path, taught, { dir, manifest, cut }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
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
  const image = {
    ...manifest.image!,
    ...{ position: image_position, images_max: Math.max(manifest.image!.images_max, images_most) },
    ...{ scan: "row_major" as const, scan_rows: 0, scan_columns: 0 },
  };
  await writeTaughtBundle(to, { dir, manifest }, {
    changed: {
      [manifest.rwkv.file]: (path) =>
        writeSafetensors(
          path,
          [...parts.language.values()].map((tensor) => storedEntry(tensor, "keep", () => {})),
        ),
      [manifest.vision!.file]: (path) => Deno.writeFile(path, cut.rejoin(projector)),
      ...tokenizer_path !== undefined && manifest.tokenizer !== null
        ? { [manifest.tokenizer.file]: (path: string) => Deno.copyFile(tokenizer_path, path) }
        : {},
    },
    describe: (whole) => ({ ...whole, name, image, trained: true, licence: licence ?? manifest.licence }),
  });
}
