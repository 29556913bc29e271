// Policy "refresh" for real: gander watch with a bundle that was made for questions about single pictures. Every part
// runs (ffmpeg, tower, span, engine, store); the model is the smallest built-in one, so that its words are noise.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { createHash } from "node:crypto";
import { openEngine } from "../../ffi/mod.ts";
import { openBundleVision } from "../../src/bundle_vision.ts";
import { library_path } from "../../src/compose.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { openLanguage } from "../../src/model/language.ts";
import type { ManifestInput } from "../../src/model/manifest.ts";
import type { Caption, Frame } from "../../src/pipeline/ports.ts";
import { system_clock } from "../../src/clock.ts";
import { silent_log } from "../../src/log.ts";
import { openStore } from "../../src/store/mod.ts";
import { openSource } from "../../streams/mod.ts";
import { attentiveWeights } from "../model/attentive_weights.ts";
import { writePictureBundle } from "../model/bundles.ts";
import { sampleClip } from "./clip.ts";
import { runGander, startGander, until } from "./gander_process.ts";
import { openWhole, playThrough } from "./whole_service.ts";

const cadence_s = 2;
const tokens_max = 3;
const attentive = attentiveWeights();
let clip: string, bundle: string, folder: string;

function refreshed(manifest: ManifestInput): void {
  manifest.policy = "refresh";
  manifest.refresh = { cadence_s, every_s: 8, change_min: 0.01, instruction: "What happens?{summary}" };
  manifest.vision = { ...manifest.vision!, fit: "crop" };
  const sampler = { temperature: 1, top_p: 1, presence_penalty: 0, count_penalty: 0 };
  manifest.caption = { tokens_max, sampler, speak_threshold: 0.5 };
  manifest.stop = { tokens: [], text: null };
  const weights = manifest.sources.find(({ path }) => path === manifest.rwkv.file)!;
  weights.bytes = attentive.length;
  weights.sha256 = createHash("sha256").update(attentive).digest("hex");
}

/** What the captions of a run say, from its lines on standard output. */
function captionsOf(lines: string[]): Caption[] {
  return lines.map((line) => JSON.parse(line));
}

async function watch(...words: string[]) {
  const run = await runGander([
    "watch",
    clip,
    "--pace",
    "lossless",
    "--bundle",
    bundle,
    "--jsonl",
    "-",
    ...words,
  ]);
  expect([run.code, run.err]).toEqual([0, expect.stringContaining("untrained")]);
  return captionsOf(run.lines);
}

function gapsOf(captions: Caption[]): number[] {
  return captions.slice(1).map(({ t_media_ms }, index) => t_media_ms - captions[index]!.t_media_ms);
}

describe("gander watch with policy refresh", () => {
  beforeAll(async () => {
    clip = await sampleClip();
    folder = Deno.makeTempDirSync({ prefix: "gander-refresh-test-" });
    bundle = `${folder}/bundle`;
    Deno.mkdirSync(bundle);
    await writePictureBundle(bundle, {}, refreshed);
    await Deno.writeFile(`${bundle}/rwkv.safetensors`, attentive);
  });
  afterAll(() => Deno.removeSync(folder, { recursive: true }));

  it("says numbered captions, not more often than the cadence, no line twice in a row, the same every time", async () => {
    const captions = await watch();
    expect(captions.length).toBeGreaterThan(3);
    expect(captions.map(({ seq }) => seq)).toEqual(captions.map((_, index) => index + 1));
    expect(captions.every(({ p_speak }) => p_speak === 1)).toBe(true);
    expect(Math.min(...gapsOf(captions))).toBeGreaterThanOrEqual(1_000 * cadence_s);
    captions.slice(1).forEach(({ text }, index) => expect(text).not.toBe(captions[index]!.text));
    const words = (all: Caption[]) => all.map(({ seq, t_media_ms, text }) => [seq, t_media_ms, text]);
    expect(words(await watch())).toEqual(words(captions));
  });

  it("is told what to ask, in which language and how often", async () => {
    const plain = await watch("--prompt", "Who is there?");
    const german = await watch(
      "--prompt",
      "Who is there?",
      "--language",
      "de",
      "--cadence",
      "10s",
      "--refresh",
      "20s",
    );
    expect(Math.min(...gapsOf(german))).toBeGreaterThanOrEqual(10_000);
    expect(german[0]!.text).not.toBe(plain[0]!.text);
    const refused = await runGander(["watch", clip, "--bundle", bundle, "--cadence", "soon"]);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("cadence:")]);
    const stream = await runGander(["watch", clip, "--bundle", "builtin-tiny", "--prompt", "Who?"]);
    expect([stream.code, stream.err]).toEqual([2, expect.stringMatching(/prompt: .*"stream"/)]);
  });

  it("says what the parts say by hand: fresh state, prompt with summary, middle of the picture, likeliest words", async () => {
    const read = await readBundle(bundle);
    const { width_px, height_px } = read.manifest.vision!;
    await using whole = await openWhole({ bundle });
    const source = { kind: "pull" as const, url: clip };
    const captions = await playThrough(whole.gander, { id: "film", name: "film", source, pace: "lossless" });
    const frames: Frame[] = [];
    const policy = { allow_files: true, allow_loopback: false, allow_private: false };
    await openSource(source, policy).run(
      {
        width_px,
        height_px,
        fit: "crop",
        rate_hz: read.manifest.tick.rate_hz,
        pace: "lossless",
        start_at_ms: 0,
      },
      { onFrame: (frame) => void frames.push(frame), onPreview: () => {}, onStatus: () => {} },
      new AbortController().signal,
    );
    const language = await openLanguage(read);
    const settings = { library_path, engine_threads: 1, threads: 1, log: () => {} };
    const vision = (await openBundleVision(read, settings))!;
    const weights_path = read.weights_path;
    const engine = await openEngine({ library_path, device: "cpu", weights_path, states_max: 1, threads: 1 });
    const sayByHand = async (frame: Frame, prompt: string) => {
      using state = engine.open();
      for (
        const part of [language.encode("User: "), undefined, language.encode(`\n${prompt}\n\nAssistant:`)]
      ) {
        if (part) state.putTokens(part);
        else state.putVectors(await vision.encodePicture(frame));
      }
      const decoder = language.decoder();
      let text = "";
      for (let count = 0; count < tokens_max; count++) {
        while (state.pending > 0) await engine.run();
        const logits = state.readLogits();
        const token = logits.indexOf(Math.max(...logits));
        text += decoder.push(token);
        state.putTokens([token]);
      }
      return `${text}${decoder.end()}`.trim();
    };
    const said: string[] = [];
    for (const { t_media_ms, text } of captions.slice(0, 3)) {
      const seen = said.map((line) => /\p{P}$/u.test(line) ? line : `${line}.`).join(" ");
      const frame = frames.find((one) => one.t_media_ms === t_media_ms)!;
      expect(await sayByHand(frame, `What happens?${seen && ` Seen before: ${seen}`}`)).toBe(text);
      said.push(text);
    }
    expect(new Set(said).size).toBe(3);
    await vision.close();
    await engine.close();
  });

  it("goes on after kill -9 as if nothing had been: captions, numbers, state", async () => {
    const film = `${folder}/long.mp4`;
    const args = ["-v", "error", "-stream_loop", "5", "-i", clip, "-c", "copy", film];
    expect((await new Deno.Command("ffmpeg", { args }).output()).code).toBe(0);
    const live = (data_dir: string) =>
      startGander([
        ...["watch", film, "--pace", "lossless", "--bundle", bundle, "--jsonl", "-", "--data", data_dir],
        ...["--cadence", "1s", "--no-novelty-gate"],
      ]);
    const remains = async (data_dir: string) => {
      const store = openStore({ data_dir, fsync: "normal", log: silent_log, clock: system_clock });
      const captions = store.captions("watch", { limit: 10_000 }).map((
        { caption_age_ms: _age, t_wall_ms: _wall, ...caption },
      ) => caption);
      const { tick } = store.listSnapshots("watch")[0]!;
      const snapshot = await store.readSnapshot("watch", tick);
      await store.close();
      return { captions, tick, state: snapshot!.blob };
    };
    const [calm, killed] = [`${folder}/calm`, `${folder}/killed`];
    expect((await live(calm).ended).code).toBe(0);
    const expected = await remains(calm);
    expect(expected.captions.length).toBeGreaterThan(20);
    for (const count of [3, 1, 5]) {
      const run = live(killed);
      await until(() => run.lines.length >= count, "captions of a run that goes on", 60_000);
      run.kill("SIGKILL");
      // Not after its end: the film was cut short.
      expect((await run.ended).signal).toBe("SIGKILL");
    }
    expect((await live(killed).ended).code).toBe(0);
    expect(await remains(killed)).toEqual(expected);
  });
});
