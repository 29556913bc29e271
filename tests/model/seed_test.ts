import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { readBundle } from "../../src/model/bundle.ts";
import { openLanguage } from "../../src/model/language.ts";
import { readSafetensorsHeader } from "../../src/model/safetensors.ts";
import { ensureSeedBundle, makeSeedFiles, seed_revision } from "../../src/seed/seed_bundle.ts";
import { seed_tokens, seed_vocab } from "../../src/seed/seed_vocabulary.ts";
import { seed_variants, type SeedVariant } from "../../src/seed/seed_variants.ts";
import { words } from "../../src/seed/words.ts";
import { openVision } from "../../src/vision/vision.ts";
import { frame, visionOptions, withFolder } from "./towers.ts";

const variants: SeedVariant[] = ["seed", "tiny"];

describe("makeSeedFiles()", () => {
  for (const variant of variants) {
    it(`gives the same bytes again, in two seconds: ${variant}`, () => {
      const began_ms = performance.now();
      const first = makeSeedFiles(variant);
      expect(performance.now() - began_ms).toBeLessThan(2_000); // measured 0.1 s
      const hashes = (files: Map<string, Uint8Array>) =>
        [...files].map(([path, bytes]) => [path, createHash("sha256").update(bytes).digest("hex")]);
      expect(hashes(makeSeedFiles(variant))).toEqual(hashes(first));
    });
  }

  it("has the bytes of its revision: other bytes need another `seed_revision`", () => {
    const sums = variants.map((variant) => {
      const manifest = makeSeedFiles(variant).get("manifest.json")!; // has the SHA-256 of the others
      return createHash("sha256").update(manifest).digest("hex").slice(0, 16);
    });
    expect([seed_revision, ...sums]).toEqual([2, "78d667e792a11da8", "5ddcbabc469d2f5e"]);
  });

  it("is another model for every variant", () => {
    const [seed, tiny] = variants.map((variant) => makeSeedFiles(variant).get("rwkv.safetensors")!.length);
    expect(seed).toBeGreaterThan(4 * tiny);
  });
});

describe("ensureSeedBundle()", () => {
  for (const variant of variants) {
    it(`gives a bundle that is whole, untrained and says so: ${variant}`, () =>
      withFolder(async (cache) => {
        const { manifest, weights_path } = await readBundle(await ensureSeedBundle(cache, variant));
        expect(manifest.trained).toBe(false);
        expect(manifest.limits_note).toContain("never trained");
        expect(manifest.name).toBe(seed_variants[variant].name);
        expect(manifest.rwkv.vocab % 64).toBe(0);
        const { tensors } = await readSafetensorsHeader(weights_path);
        expect(tensors.get("blocks.1.att.r_k")!.shape).toEqual([manifest.rwkv.width / 64, 64]);
        expect(tensors.has("blocks.0.att.v1")).toBe(false);
        expect(tensors.has("blocks.1.att.v1")).toBe(true);
      }));
  }

  it("makes the bundle once and again when it is damaged", () =>
    withFolder(async (cache) => {
      const dir = await ensureSeedBundle(cache, "tiny");
      const manifest = join(dir, "manifest.json");
      const made = (await Deno.stat(manifest)).ino;
      expect(await ensureSeedBundle(cache, "tiny")).toBe(dir);
      expect((await Deno.stat(manifest)).ino).toBe(made);
      await Deno.writeTextFile(join(dir, "tokenizer.txt"), "damaged");
      expect(await ensureSeedBundle(cache, "tiny")).toBe(dir);
      await readBundle(dir);
      expect([...Deno.readDirSync(cache)].map((entry) => entry.name)).toEqual([
        `gander-seed-tiny-r${seed_revision}`,
      ]);
    }));

  it("may be called by several at once", () =>
    withFolder(async (cache) => {
      const folders = await Promise.all([1, 2, 3, 4].map(() => ensureSeedBundle(cache, "tiny")));
      expect(new Set(folders).size).toBe(1);
      await readBundle(folders[0]);
    }));
});

describe("the seed vocabulary", () => {
  it("has silence that no text becomes, and words as one token", () =>
    withFolder(async (cache) => {
      const language = await openLanguage(await readBundle(await ensureSeedBundle(cache, "tiny")));
      expect(words.length).toBeGreaterThan(390);
      expect(language.silence_token).toBe(seed_tokens.silence);
      expect(language.tokenizer.id_max).toBeLessThan(language.silence_token);
      expect(language.silence_token).toBeLessThan(seed_vocab);
      expect(language.encode("<silence>").length).toBe("<silence>".length);
      expect(language.encode(" the red dog").length).toBe(3);
      expect(language.encode("\n\n")).toEqual([seed_tokens.turn_end]);
    }));
});

describe("the seed tower", () => {
  for (const variant of variants) {
    it(`gives different vectors for different pictures: ${variant}`, () =>
      withFolder(async (cache) => {
        const { tower } = seed_variants[variant];
        const { vision_path } = await readBundle(await ensureSeedBundle(cache, variant));
        const vision = await openVision(visionOptions(vision_path!, tower));
        const black = await vision.encode(new Uint8Array(tower.width_px * tower.height_px * 3));
        const noise = await vision.encode(frame(tower, 1));
        await vision.close();
        const difference = Math.sqrt(
          black.reduce((sum, value, i) => sum + (value - noise[i]) ** 2, 0) / black.length,
        );
        expect(difference).toBeGreaterThan(0.1);
      }));
  }
});
