// Small bundles on disk for the tests of this folder.
import { join } from "node:path";
import { hashFile } from "../../src/model/bundle_files.ts";
import type { ManifestInput } from "../../src/model/manifest.ts";
import { encodeSafetensors, type FloatTensor } from "../../src/model/safetensors.ts";
import { makeSeedFiles } from "../../src/seed/seed_bundle.ts";
import { writeSeedVocabulary } from "../../src/seed/seed_vocabulary.ts";

export const vocab = 768;

/** The tensors a header is judged by, and no others: enough for readBundle, not for an engine. */
export function headerTensors(layers = 2, width = 64): Map<string, FloatTensor> {
  const tensors = new Map<string, FloatTensor>([
    ["emb.weight", { shape: [vocab, width], data: new Float32Array(vocab * width) }],
    ["blocks.0.att.w0", { shape: [1, 1, width], data: new Float32Array(width) }],
  ]);
  for (let layer = 0; layer < layers; layer++) {
    tensors.set(`blocks.${layer}.ln1.weight`, { shape: [width], data: new Float32Array(width) });
  }
  tensors.set("head.weight", { shape: [vocab, width], data: new Float32Array(vocab * width) });
  return tensors;
}

/** Writes the minimal text-only bundle into `dir`; `change` edits the manifest before it is written. */
export async function writeTextBundle(
  dir: string,
  change: (manifest: ManifestInput) => void = () => {},
  weights: Uint8Array = encodeSafetensors(headerTensors()),
): Promise<void> {
  await Deno.writeFile(join(dir, "rwkv.safetensors"), weights);
  await Deno.writeTextFile(join(dir, "tokenizer.txt"), writeSeedVocabulary());
  const sources = [];
  for (const path of ["rwkv.safetensors", "tokenizer.txt"]) {
    const file = join(dir, path);
    sources.push({ path, bytes: (await Deno.stat(file)).size, sha256: await hashFile(file), origin: "test" });
  }
  const manifest: ManifestInput = {
    format: "gander-bundle",
    format_version: 1,
    name: "text",
    licence: "Apache-2.0",
    trained: false,
    sources,
    rwkv: { file: "rwkv.safetensors", version: 7, layers: 2, width: 64, vocab },
    tokenizer: { file: "tokenizer.txt" },
  };
  change(manifest);
  await Deno.writeTextFile(join(dir, "manifest.json"), JSON.stringify(manifest));
}

/** The smallest built-in bundle, said to be trained on pictures: the whole way of a picture runs, its words are noise. */
export async function writePictureBundle(
  dir: string,
  image: Partial<NonNullable<ManifestInput["image"]>> = {},
  change: (manifest: ManifestInput) => void = () => {},
): Promise<void> {
  for (const [path, bytes] of makeSeedFiles("tiny")) await Deno.writeFile(join(dir, path), bytes);
  const manifest: ManifestInput = JSON.parse(await Deno.readTextFile(join(dir, "manifest.json")));
  manifest.name = "gander-picture-tiny";
  manifest.image = { position: "first", images_max: 1, ...image };
  change(manifest);
  await Deno.writeTextFile(join(dir, "manifest.json"), JSON.stringify(manifest));
}
