// What a stage leaves on the disk: a .pth under upstream's names after a mini epoch, and at the end a bundle of it, by the
// door through which released files come in. Must not know stages or trainers.
import { join } from "node:path";
import { importBundle, type ImportRequest } from "../../model/import/import_bundle.ts";
import { manifest_file } from "../../model/bundle.ts";
import { outlineTower, writeTower } from "../../vision/onnx/write_tower.ts";
import type { NamedTensor } from "../ports.ts";
import { writeTorch } from "../torch_writer.ts";

export interface SavePlace {
  out_dir: string;
  /** Optimizer steps of a mini epoch. */
  epoch_steps: number;
  epoch_begin: number;
  dtype: "f32" | "bf16";
}

/** As upstream counts: the first mini epoch is 0. */
export function weightsPath({ out_dir, epoch_steps, epoch_begin }: SavePlace, step: number): string {
  return join(out_dir, `rwkv-${epoch_begin + Math.ceil(step / epoch_steps) - 1}.pth`);
}

/** `beside`: tensors of a tower that stood in the same file. Names of a language model alone have no prefix (spec 2.11). */
export async function saveWeights(
  place: SavePlace,
  step: number,
  parameters: ReadonlyMap<string, NamedTensor>,
  beside: ReadonlyMap<string, NamedTensor> | undefined,
): Promise<string> {
  const path = weightsPath(place, step);
  const named = beside === undefined ? [...parameters] : [
    ...[...parameters].map(([name, tensor]) =>
      [name.startsWith("proj.") ? name : `rwkv.${name}`, tensor] as const
    ),
    ...beside,
  ];
  await writeTorch(path, new Map(named), { type: place.dtype });
  return path;
}

/** Whatever of an import is not said here is the importer's default. `images_max`: the most pictures of one question. */
export async function saveBundle(
  request: Pick<ImportRequest, "paths" | "tower_paths" | "dir"> & Partial<ImportRequest>,
  images_max = 0,
): Promise<void> {
  await importBundle(
    { force: true, stored_as: "keep", vision_weights: "fp32", ...request },
    { outline: outlineTower, write: writeTower },
  );
  if (images_max === 0) return;
  // A version says how many pictures its released model knows; this one was taught more.
  const path = join(request.dir, manifest_file);
  const manifest = JSON.parse(await Deno.readTextFile(path));
  if (!manifest.image || manifest.image.images_max >= images_max) return;
  manifest.image.images_max = images_max;
  await Deno.writeTextFile(`${path}.part`, `${JSON.stringify(manifest, null, 2)}\n`);
  await Deno.rename(`${path}.part`, path);
}
