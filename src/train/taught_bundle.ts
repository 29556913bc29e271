// A bundle that is taught further: its projector cut out of the tower, the tower in front of it opened, and the bundle written
// again with some of its files changed. Must not know stages, data or trainers.
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { type Bundle, manifest_file } from "../model/bundle.ts";
import { hashFile } from "../model/bundle_files.ts";
import { fillFolder } from "../model/import/bundle_folder.ts";
import type { Manifest } from "../model/manifest.ts";
import { cutProjector, type CutTower } from "../vision/onnx/projector_cut.ts";
import { type OnnxVision, openVision } from "../vision/vision.ts";

/** Throws RangeError when its tower does not end in a projector that is known. The bundle has a vision. */
export async function cutBundle({ vision_path }: Bundle): Promise<CutTower> {
  return await cutProjector(
    await Deno.readFile(vision_path!),
    (location, offset, length) => readPart(join(vision_path!, "..", basename(location)), offset, length),
  );
}

/** What stands in front of the projector, as a vision. `hash`: of all that its vectors depend on. */
export async function openCutTower(
  { dir, manifest }: Bundle,
  cut: CutTower,
  { folder, threads, log }: { folder: string; threads: number; log: (line: string) => void },
): Promise<{ vision: OnnxVision; hash: string }> {
  await Deno.mkdir(folder, { recursive: true });
  const model_path = join(folder, "tower.onnx");
  await Deno.writeFile(model_path, cut.features_model);
  for (const { path } of dataFiles(manifest)) await placeBeside(join(dir, path), join(folder, path));
  const sight = sightOf(manifest);
  const vision = await openVision({
    ...{ model_path, ...sight, vectors_per_frame: cut.vectors, vector_width: cut.feature_width },
    ...{ threads, log },
  });
  const hash = createHash("sha256").update(JSON.stringify([sight, dataFiles(manifest)]))
    .update(cut.features_model).digest("hex");
  return { vision, hash };
}

/** How the vision of a bundle looks at pictures. */
export function sightOf({ vision }: Manifest) {
  const { width_px, height_px, fit, filter, inputs, views, tiling } = vision!;
  return { width_px, height_px, fit, filter, inputs, views, tiling };
}

/** Constants of the tower that stand beside its graph. */
function dataFiles({ sources, vision }: Manifest): { path: string; sha256: string }[] {
  return sources.filter(({ path }) => path === `${vision!.file}.data`)
    .map(({ path, sha256 }) => ({ path, sha256 }));
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

export interface TaughtFiles {
  /** Writers of the files that are other than they were, by their path in the bundle. */
  changed: Readonly<Record<string, (path: string) => Promise<unknown>>>;
  /** The manifest with its new sources, as it shall be. */
  describe(manifest: Manifest): unknown;
}

/** Whole or not at all; replaces a bundle that is there. What is not changed is copied. */
export async function writeTaughtBundle(
  to: string,
  { dir, manifest }: Pick<Bundle, "dir" | "manifest">,
  { changed, describe }: TaughtFiles,
): Promise<void> {
  await fillFolder(to, true, async (folder) => {
    const sources: Manifest["sources"] = [];
    for (const source of manifest.sources) {
      const path = join(folder, source.path);
      await Deno.mkdir(join(path, ".."), { recursive: true });
      const write = changed[source.path] ??
        ((target: string) => Deno.copyFile(join(dir, source.path), target));
      await write(path);
      const origin = changed[source.path] ? `trained from ${manifest.name}`.slice(0, 500) : source.origin;
      const { size: bytes } = await Deno.stat(path);
      sources.push({ path: source.path, bytes, sha256: await hashFile(path), origin });
    }
    const whole = describe({ ...manifest, sources });
    await Deno.writeTextFile(join(folder, manifest_file), `${JSON.stringify(whole, null, 2)}\n`);
  });
}
