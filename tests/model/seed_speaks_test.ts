// The built-in model on the real engine: it keeps still before a still picture and speaks of a changing one, in
// words. The bounds are wide: what matters is that a demo is neither silent nor a flood.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type NativeState, openEngine } from "../../ffi/mod.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { type BundleLanguage, openLanguage } from "../../src/model/language.ts";
import { StopRule } from "../../src/model/stop_rule.ts";
import { ensureSeedBundle } from "../../src/seed/seed_bundle.ts";
import { seed_variants, type SeedVariant } from "../../src/seed/seed_variants.ts";
import { type OnnxVision, openVision } from "../../src/vision/vision.ts";
import { visionOptions, withFolder } from "./towers.ts";

const library_path = fileURLToPath(new URL("../../native/build/librwkv.so", import.meta.url));
const not_built = existsSync(library_path) ? undefined : "the native library is not built";

/** A light square on a dark ground, moving; another scene every 25 ticks. */
function movingSquare(side_px: number, tick: number): Uint8Array {
  const scene = Math.floor(tick / 25);
  const size = side_px / 4;
  const left = (tick * side_px / 20 + scene * 17) % (side_px - size);
  const top = (scene * 29) % (side_px - size);
  const rgb = new Uint8Array(side_px * side_px * 3).fill(40 + 60 * (scene % 3));
  for (let y = 0; y < side_px; y++) {
    for (let x = 0; x < side_px; x++) {
      if (x < left || x >= left + size || y < top || y >= top + size) continue;
      rgb.set([200, 255 - 50 * (scene % 4), 30 * scene % 256], (y * side_px + x) * 3);
    }
  }
  return rgb;
}

interface Watcher {
  language: BundleLanguage;
  vision: OnnxVision;
  state: NativeState;
  runAll(): Promise<void>;
  /** Feeds one picture; the tokens of the caption, none when silent. */
  tick(rgb: Uint8Array, seed: number): Promise<number[]>;
}

function watch(variant: SeedVariant, body: (watcher: Watcher) => Promise<void>): Promise<void> {
  return withFolder(async (cache) => {
    const bundle = await readBundle(await ensureSeedBundle(cache, variant));
    const language = await openLanguage(bundle);
    const vision = await openVision(visionOptions(bundle.vision_path!, seed_variants[variant].tower));
    const weights_path = bundle.weights_path;
    const engine = await openEngine({ library_path, device: "cpu", weights_path, states_max: 2, threads: 1 });
    const state = engine.open();
    state.setSampler(language.caption_sampler);
    state.setStops(language.stop_tokens);
    const runAll = async () => {
      while (state.pending > 0) await engine.run();
    };
    const tick = async (rgb: Uint8Array, seed: number) => {
      state.putVectors(await vision.encode(rgb));
      const silence = { token: language.silence_token, threshold: language.speak_threshold };
      state.putDecode({ tokens_max: language.caption_tokens_max, seed: BigInt(seed), silence });
      await runAll();
      return state.takeTokens().map((token) => token.id);
    };
    try {
      await body({ language, vision, state, runAll, tick });
    } finally {
      state.close();
      await engine.close();
      await vision.close();
    }
  });
}

function textOf(language: BundleLanguage, tokens: readonly number[]): string {
  const rule = new StopRule({ tokens: language.stop_tokens, text: language.stop_text }, language.decoder());
  return tokens.map((token) => rule.push(token)).join("") + rule.end();
}

describe("the seed model on the engine", () => {
  for (const variant of ["seed", "tiny"] as const) {
    it.unless(
      not_built,
      `speaks now and then of a changing picture, in words: ${variant}`,
      () =>
        watch(variant, async ({ language, vision, tick }) => {
          const captions: string[] = [];
          const ticks = 200;
          for (let index = 0; index < ticks; index++) {
            const tokens = await tick(movingSquare(vision.width_px, index), index);
            if (tokens.length > 0) captions.push(textOf(language, tokens));
          }
          expect(captions.length / ticks).toBeGreaterThan(0.08);
          expect(captions.length / ticks).toBeLessThan(0.4);
          const worded = captions.filter((caption) => /^( [a-z]+)+$/.test(caption));
          expect(worded.length / captions.length).toBeGreaterThan(0.9);
          expect(new Set(captions).size).toBeGreaterThan(captions.length / 2);
        }),
    );
  }

  it.unless(not_built, "keeps still before a still picture", () =>
    watch("seed", async ({ vision, tick }) => {
      const still = movingSquare(vision.width_px, 3);
      let spoken = 0;
      for (let index = 0; index < 60; index++) {
        spoken += (await tick(still, index)).length > 0 && index > 0 ? 1 : 0;
      }
      expect(spoken).toBe(0);
    }));

  it.unless(
    not_built,
    "answers a question in words, never with silence",
    () =>
      watch("seed", async ({ language, vision, state, runAll, tick }) => {
        for (let index = 0; index < 5; index++) await tick(movingSquare(vision.width_px, index), index);
        for (let seed = 0; seed < 20; seed++) {
          state.putTokens(language.question("What do you see?"));
          state.putDecode({ tokens_max: language.answer_tokens_max, seed: BigInt(seed) });
          await runAll();
          const tokens = state.takeTokens().map((token) => token.id);
          expect(tokens).not.toContain(language.silence_token);
          expect(tokens.length).toBeGreaterThan(0);
        }
      }),
  );
});
