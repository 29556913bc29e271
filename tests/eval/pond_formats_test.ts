// What int8 and 4-bit weights cost a trained model: the perplexity of the lines of an ideal narrator under gander-pond, film
// by film, with the vectors that its tower gives, once with the weights as they are and once in each format. The text is
// fixed: films, lines and phrasing come from files and a seed. Prints the table that docs/measurements quotes.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { openEngine } from "../../ffi/mod.ts";
import { openBundleVision } from "../../src/bundle_vision.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { type BundleLanguage, openLanguage } from "../../src/model/language.ts";
import type { EngineState } from "../../src/pipeline/ports.ts";
import { Dice } from "../../src/world/dice.ts";
import { eventsOf } from "../../src/world/events.ts";
import { readScript } from "../../src/world/script.ts";
import { labelTicks } from "../../src/world/ticks.ts";
import { library_path, not_built } from "../native/built.ts";

const films = new URL("./pond/", import.meta.url).pathname;
const pond = new URL("../../models/gander-pond", import.meta.url).pathname;
const rate_hz = 2;

interface Tick {
  vectors: Float32Array;
  line: string | undefined;
}

async function frames(path: string, side: number): Promise<Uint8Array[]> {
  const scale = `fps=${rate_hz},scale=${side}:${side}`;
  const { stdout, success } = await new Deno.Command("ffmpeg", {
    args: ["-v", "error", "-i", path, "-vf", scale, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
  }).output();
  if (!success) throw new Error(`ffmpeg failed on ${path}`);
  const bytes = side * side * 3;
  return Array.from({ length: stdout.length / bytes }, (_, i) => stdout.subarray(i * bytes, (i + 1) * bytes));
}

/** −log p of each token of `words`, fed one behind the other. */
async function surprise(
  state: EngineState,
  words: readonly number[],
  run: () => Promise<void>,
): Promise<number[]> {
  const out: number[] = [];
  for (const word of words) {
    const logits = state.readLogits(), top = Math.max(...logits);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0);
    out.push(Math.log(total) + top - logits[word]!);
    state.putTokens([word]);
    await run();
  }
  return out;
}

async function perplexity(
  format: "as_file" | "q8" | "q4",
  weights_path: string,
  language: BundleLanguage,
  reels: readonly Tick[][],
) {
  const engine = await openEngine({
    ...{ library_path, device: "cpu", weights_path, states_max: 1, threads: 1 } as const,
    format,
  });
  const said: number[] = [];
  for (const reel of reels) {
    using state = engine.open();
    const run = async () => {
      while (state.pending > 0) await engine.run();
    };
    if (language.preamble.length > 0) state.putTokens(language.preamble);
    for (const { vectors, line } of reel) {
      state.putVectors(vectors);
      await run();
      if (line === undefined) continue;
      const words = [...language.encode(` ${line}`), ...language.encode(language.stop_text ?? "")];
      said.push(...await surprise(state, words, run));
    }
  }
  const { weight_bytes } = engine.info;
  await engine.close();
  const mean = said.reduce((sum, value) => sum + value, 0) / said.length;
  return { perplexity: Math.exp(mean), tokens: said.length, weight_bytes };
}

describe("gander-pond in other formats", () => {
  it.unless(not_built, "loses little perplexity on the lines of an ideal narrator", async () => {
    const bundle = await readBundle(pond), language = await openLanguage(bundle);
    const vision =
      (await openBundleVision(bundle, { library_path, engine_threads: 1, threads: 1, log: () => {} }))!;
    const reels: Tick[][] = [];
    for (const name of ["l2-0", "l2-1", "l2-2"]) {
      const read = readScript(JSON.parse(Deno.readTextFileSync(`${films}${name}.json`)));
      if ("problems" in read) throw new Error(read.problems.join());
      const { script } = read, shots = await frames(`${films}${name}.mp4`, vision.width_px);
      const labels = labelTicks(
        eventsOf(script),
        { duration_s: script.duration_s, rate_hz },
        new Dice(7, name),
      );
      const reel: Tick[] = [];
      for (const [at, shot] of shots.entries()) {
        reel.push({ vectors: await vision.encode(shot, shots[at - 1]), line: labels[at]?.line });
      }
      reels.push(reel);
    }
    await vision.close();
    const measured = async (format: "as_file" | "q8" | "q4") => {
      const found = await perplexity(format, bundle.weights_path, language, reels);
      const line = `${format}: perplexity ${found.perplexity.toFixed(4)} of ${found.tokens} tokens`;
      Deno.stdout.writeSync(new TextEncoder().encode(`${line}, ${found.weight_bytes} bytes\n`));
      return found;
    };
    const whole = await measured("as_file"), q8 = await measured("q8"), q4 = await measured("q4");
    // Otherwise the text is not the model's and the comparison says nothing: its vocabulary has hundreds of words.
    expect(whole.perplexity).toBeLessThan(4);
    expect(whole.tokens).toBeGreaterThan(150);
    expect(q8.weight_bytes).toBeLessThan(whole.weight_bytes);
    expect(q8.perplexity / whole.perplexity).toBeLessThan(1.02);
    expect(q4.perplexity / whole.perplexity).toBeLessThan(1.1);
  });
});
