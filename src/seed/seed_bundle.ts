// The built-in model: an untrained bundle made from a seed, so that everything runs before anyone has weights.
// Owns its files and when they are made anew. Must not know HTTP, streams or engines.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { manifest_file, readBundle } from "../model/bundle.ts";
import { ModelError } from "../model/errors.ts";
import { type ManifestInput, readManifest } from "../model/manifest.ts";
import { encodeSafetensors } from "../model/safetensors.ts";
import { buildClipTower, vectorsPerFrame } from "../vision/onnx/clip_tower.ts";
import { hasChangeReflex } from "./channels.ts";
import { randomRwkv } from "./rwkv_weights.ts";
import { seed_tokens, seed_vocab, writeSeedVocabulary } from "./seed_vocabulary.ts";
import { seed_variants, type SeedVariant } from "./seed_variants.ts";
import { randomTower } from "./tower_weights.ts";

/** Part of the folder's name and of the description: raise it whenever the same variant would get other bytes. */
export const seed_revision = 2;

const description =
  `Random weights from a seed, revision ${seed_revision}. It shows that the machinery works.`;

/** Every file of the bundle, manifest last. The same bytes on every machine. */
export function makeSeedFiles(variant: SeedVariant): Map<string, Uint8Array> {
  const sizes = seed_variants[variant];
  const metadata = { origin: `${sizes.name} revision ${seed_revision}, seed ${sizes.seed}, untrained` };
  const files = new Map<string, Uint8Array>([
    ["rwkv.safetensors", encodeSafetensors(randomRwkv(sizes.rwkv, sizes.seed), metadata)],
    ["vision.onnx", buildClipTower(sizes.tower, randomTower(sizes.tower, sizes.seed))],
    ["tokenizer.txt", new TextEncoder().encode(writeSeedVocabulary())],
  ]);
  const manifest = describeSeed(variant, files, metadata.origin);
  const checked = readManifest(manifest);
  if ("problems" in checked) throw new ModelError("bundle_invalid", checked.problems.join("\n"));
  files.set(manifest_file, new TextEncoder().encode(JSON.stringify(manifest, null, 2) + "\n"));
  return files;
}

function describeSeed(variant: SeedVariant, files: Map<string, Uint8Array>, origin: string): ManifestInput {
  const { name, tower, rwkv, speak_threshold } = seed_variants[variant];
  const timing = hasChangeReflex(rwkv.width)
    ? "Only when it speaks has to do with the picture."
    : "When it speaks has nothing to do with the picture either.";
  const sampler = { temperature: 0.9, top_p: 0.7, presence_penalty: 2, count_penalty: 1 };
  return {
    format: "gander-bundle",
    format_version: 1,
    name,
    licence: "Apache-2.0",
    description,
    trained: false,
    languages: ["en"],
    sources: [...files].map(([path, bytes]) => ({
      path,
      bytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      origin,
    })),
    rwkv: { file: "rwkv.safetensors", version: 7, layers: rwkv.layers, width: rwkv.width, vocab: seed_vocab },
    vision: {
      file: "vision.onnx",
      width_px: tower.width_px,
      height_px: tower.height_px,
      vectors_per_frame: vectorsPerFrame(tower),
    },
    tokenizer: { file: "tokenizer.txt" },
    tick: { rate_hz: 2, mark: "none" },
    prompt: { preamble: "", question: "User: {question}\n\nAssistant:" },
    stop: { tokens: [seed_tokens.turn_end], text: "\n\n" },
    silence_token: seed_tokens.silence,
    policy: "stream",
    caption: { tokens_max: 16, speak_threshold, sampler },
    answer: { tokens_max: 32, sampler },
    limits_note:
      "This model was never trained. Its captions and answers are random words: nobody should rely on " +
      `them for anything. ${timing}`,
  };
}

/**
 * The folder of a whole, verified seed bundle below `cache_dir`; makes it (0.1 s) when it is not there or is
 * damaged. Several processes may call this at once.
 */
export async function ensureSeedBundle(cache_dir: string, variant: SeedVariant = "seed"): Promise<string> {
  const folder = join(cache_dir, `${seed_variants[variant].name}-r${seed_revision}`);
  if (!await isSeed(folder, variant)) await writeSeedBundle(folder, variant);
  return folder;
}

/** Writes the bundle beside `folder` and moves it there in one step; whatever else was there is replaced. */
export async function writeSeedBundle(folder: string, variant: SeedVariant): Promise<void> {
  const parent = join(folder, "..");
  await Deno.mkdir(parent, { recursive: true });
  const fresh = await Deno.makeTempDir({ dir: parent, prefix: ".seed-" });
  try {
    const bundle = join(fresh, "bundle");
    await Deno.mkdir(bundle);
    for (const [path, bytes] of makeSeedFiles(variant)) await Deno.writeFile(join(bundle, path), bytes);
    await moveInto(bundle, folder, join(fresh, "old"), variant);
  } finally {
    await Deno.remove(fresh, { recursive: true });
  }
}

/** A folder cannot be renamed over a full one: a bundle that is as good stays, anything else steps aside. */
async function moveInto(from: string, to: string, aside: string, variant: SeedVariant): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      return await Deno.rename(from, to);
    } catch (error) {
      // Another process may have been quicker, any number of times; its bundle has the same bytes.
      if (await isSeed(to, variant)) return;
      if (attempt === 3) throw error;
    }
    await Deno.rename(to, `${aside}-${attempt}`).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

async function isSeed(folder: string, variant: SeedVariant): Promise<boolean> {
  try {
    const { manifest } = await readBundle(folder);
    return manifest.name === seed_variants[variant].name && manifest.description === description;
  } catch (error) {
    if (error instanceof ModelError) return false;
    throw error;
  }
}
