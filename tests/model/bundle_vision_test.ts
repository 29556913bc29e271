// The vision of a bundle, opened from its manifest: with a compressor, without one, and with one that cannot be loaded.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openBundleVision, towerOf } from "../../src/bundle_vision.ts";
import { CompressedVision, poolRows } from "../../src/compressed_vision.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { hashFile } from "../../src/model/bundle_files.ts";
import { encodeSafetensors, type FloatTensor } from "../../src/model/safetensors.ts";
import { writePictureBundle, writeTextBundle } from "./bundles.ts";
import { randomBlocks, referenceBlocks } from "./reference_compressor.ts";
import { frame, withFolder } from "./towers.ts";

const library_path = fileURLToPath(new URL("../../native/build/librwkv.so", import.meta.url));
const not_built = existsSync(library_path) ? undefined : "the native library is not built";
const options = {
  library_path,
  device: "cpu",
  engine_threads: 1,
  threads: 1,
  providers: ["cpu"],
  log: () => {},
} as const;

const blocks_shape = { layers: 2, ranks: { w: 8, a: 8, v: 8, g: 8 } };
const vectors_per_frame = 3;

/** The smallest built-in bundle with blocks behind its tower. */
async function writeCompressedBundle(
  dir: string,
  spoil: (tensors: Map<string, FloatTensor>) => void = () => {},
) {
  const file = "vtc.safetensors", path = join(dir, file);
  let tensors = new Map<string, FloatTensor>(), width = 0;
  await writePictureBundle(dir, {}, (manifest) => {
    width = manifest.rwkv.width;
    tensors = randomBlocks({ ...blocks_shape, width }, 3);
    spoil(tensors);
    Deno.writeFileSync(path, encodeSafetensors(tensors));
    manifest.vision!.vectors_per_frame = vectors_per_frame;
    manifest.vision!.compressor = { file, layers: blocks_shape.layers, padding: 16 };
    const { size: bytes } = Deno.statSync(path);
    manifest.sources.push({ path: file, bytes, sha256: "0".repeat(64), origin: "test" });
  });
  const manifest = JSON.parse(await Deno.readTextFile(join(dir, "manifest.json")));
  manifest.sources.at(-1).sha256 = await hashFile(path);
  await Deno.writeTextFile(join(dir, "manifest.json"), JSON.stringify(manifest));
  return { tensors, width };
}

describe("openBundleVision()", () => {
  it.unless(not_built, "puts the compressor behind the tower", () =>
    withFolder(async (dir) => {
      const { tensors, width } = await writeCompressedBundle(dir);
      const vision = (await openBundleVision(await readBundle(dir), options))!;
      try {
        expect(vision).toBeInstanceOf(CompressedVision);
        expect(vision.vectors_per_frame).toBe(vectors_per_frame);
        const { width_px, height_px } = vision;
        const rgb = frame({ width_px, height_px } as Parameters<typeof frame>[0], 1);
        const seen = await towerOf(vision).encode(rgb);
        const padded = new Float32Array(16 * width);
        padded.set(seen, padded.length - seen.length);
        const rows = referenceBlocks({ ...blocks_shape, width }, tensors, padded).flatMap((row) => [...row]);
        const wanted = poolRows(Float32Array.from(rows).subarray(-seen.length), width, vectors_per_frame);
        const found = await vision.encode(rgb);
        expect(found.length).toBe(wanted.length);
        expect(Math.max(...found.map((value, index) => Math.abs(value - wanted[index])))).toBeLessThan(1e-4);
        expect(await vision.encodePicture({ rgb, width_px, height_px })).toEqual(found);
      } finally {
        await vision.close();
      }
    }));

  it.unless(
    not_built,
    "leaves nothing open when the compressor cannot be loaded",
    () =>
      withFolder(async (dir) => {
        await writeCompressedBundle(dir, (tensors) => tensors.delete("blocks.1.att.r_k"));
        const error = await openBundleVision(await readBundle(dir), options).catch((error) => error);
        expect(error.message).toContain("r_k"); // the leak check of the runner sees a worker that is left
      }),
  );

  it("is the tower alone without one, and nothing for a text-only bundle", () =>
    withFolder(async (dir) => {
      await writePictureBundle(dir);
      const bundle = await readBundle(dir);
      const vision = (await openBundleVision(bundle, options))!;
      expect(towerOf(vision)).toBe(vision);
      expect(vision.vectors_per_frame).toBe(bundle.manifest.vision!.vectors_per_frame);
      await vision.close();
      await writeTextBundle(dir);
      expect(await openBundleVision(await readBundle(dir), options)).toBeUndefined();
    }));
});
