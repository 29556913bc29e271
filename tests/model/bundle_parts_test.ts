// Bundles whose weights are other than the smallest: RWKV-5, half floats, a token compressor.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { type Bundle, readBundle } from "../../src/model/bundle.ts";
import { hashFile } from "../../src/model/bundle_files.ts";
import { writeSafetensors, type WrittenType } from "../../src/model/import/safetensors_writer.ts";
import type { ManifestInput } from "../../src/model/manifest.ts";
import { writeTextBundle } from "./bundles.ts";
import { languageShapes, type Shapes } from "./table_checkpoints.ts";
import { withFolder } from "./towers.ts";

const sizes = { layers: 2, width: 128, vocab: 768 };

async function zeros(path: string, shapes: Shapes, type: WrittenType): Promise<void> {
  await writeSafetensors(
    path,
    Object.entries(shapes).map(([name, shape]) => ({
      name,
      type,
      shape,
      async *chunks() {
        const elements = shape.reduce((product, size) => product * size, 1);
        yield await Promise.resolve(new Uint8Array(elements * (type === "f32" ? 4 : 2)));
      },
    })),
  );
}

async function readWith(dir: string, generation: 5 | 6 | 7, type: WrittenType): Promise<Bundle> {
  const weights = join(dir, "weights.safetensors");
  await zeros(weights, languageShapes(generation), type);
  await writeTextBundle(
    dir,
    ({ rwkv }) => Object.assign(rwkv, sizes, { version: generation }),
    await Deno.readFile(weights),
  );
  return await readBundle(dir);
}

/** A v7.03-like bundle; the tower is a file of zeros, which nobody opens here. */
async function readWithCompressor(
  dir: string,
  shapes: Shapes,
  change: (manifest: ManifestInput) => void = () => {},
) {
  const weights = join(dir, "weights.safetensors");
  await zeros(weights, languageShapes(7), "bf16");
  await zeros(join(dir, "vtc.safetensors"), shapes, "bf16");
  await Deno.writeFile(join(dir, "vision.onnx"), new Uint8Array(8));
  const sources: ManifestInput["sources"] = [];
  for (const path of ["vtc.safetensors", "vision.onnx"]) {
    const file = join(dir, path);
    sources.push({ path, bytes: (await Deno.stat(file)).size, sha256: await hashFile(file), origin: "test" });
  }
  await writeTextBundle(dir, (manifest) => {
    Object.assign(manifest.rwkv, sizes);
    manifest.sources.push(...sources);
    manifest.vision = {
      file: "vision.onnx",
      width_px: 256,
      height_px: 256,
      vectors_per_frame: 1024,
      tiling: { criterion: "closest", tiles_max: 4 },
      compressor: { file: "vtc.safetensors", layers: 2 },
    };
    change(manifest);
  }, await Deno.readFile(weights));
  return await readBundle(dir);
}

const blocks = (): Shapes =>
  Object.fromEntries(Object.entries(languageShapes(7)).filter(([name]) => !/^(emb|head)\./.test(name)));

const without = (unwanted: string): Shapes =>
  Object.fromEntries(Object.entries(blocks()).filter(([name]) => name !== unwanted));

describe("readBundle() of other weights", () => {
  for (const generation of [5, 6, 7] as const) {
    for (const type of ["bf16", "f16"] as const) {
      it(`takes RWKV-${generation} in ${type}`, () =>
        withFolder(async (dir) => {
          const { manifest, compressor_path } = await readWith(dir, generation, type);
          expect(manifest.rwkv.version).toBe(generation);
          expect(compressor_path).toBeUndefined();
        }));
    }
  }
});

describe("readBundle() of a token compressor", () => {
  it("gives its path", () =>
    withFolder(async (dir) => {
      const { compressor_path, manifest } = await readWithCompressor(dir, blocks());
      expect(compressor_path).toBe(join(await Deno.realPath(dir), "vtc.safetensors"));
      expect(manifest.vision!.compressor).toEqual({ file: "vtc.safetensors", layers: 2, padding: 16 });
    }));

  const faults: [string, () => Shapes, (manifest: ManifestInput) => void, string][] = [
    ["words", () => languageShapes(7), () => {}, "vtc.safetensors: it has an emb.weight"],
    [
      "blocks of another generation",
      () => languageShapes(6),
      () => {},
      "its blocks are RWKV-6, RWKV-7 is needed",
    ],
    ["no start", () => without("blocks.0.ln0.weight"), () => {}, "it has no ln_out and blocks.0.ln0"],
    [
      "another width",
      () => ({ ...blocks(), "ln_out.weight": [64] }),
      () => {},
      "width is 128 in the manifest, 64 in",
    ],
    [
      "another number of layers",
      blocks,
      ({ vision }) => vision!.compressor!.layers = 3,
      "vision.compressor: layers is 3 in the manifest, 2 in vtc.safetensors",
    ],
    [
      "a name that is not listed",
      blocks,
      ({ vision }) => vision!.compressor!.file = "other.safetensors",
      'compressor.file: "other.safetensors" is not among the sources',
    ],
  ];
  for (const [what, shapes, change, message] of faults) {
    it(`refuses ${what}`, () =>
      withFolder(async (dir) => {
        await expect(readWithCompressor(dir, shapes(), change)).rejects.toThrow(message);
      }));
  }
});
