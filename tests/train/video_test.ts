// Stage 3 on people's own videos, by the command itself: three short films with lines, the demo model as the beginning, the
// decoder and the gate of the service.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { openTrainer } from "../../ffi/mod.ts";
import { EvalHouse } from "../../src/cli/eval_house.ts";
import { readEvalOptions } from "../../src/cli/eval_options.ts";
import { watchVideo } from "../../src/cli/train_video.ts";
import { writeVideo } from "../../src/cli/world_video.ts";
import { compose } from "../../src/compose.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { openLanguage } from "../../src/model/language.ts";
import { trainPretrain } from "../../src/train/llava/train_visual.ts";
import { trainStream } from "../../src/train/stream/command.ts";
import { decodePicture } from "../../streams/mod.ts";
import { inventScene } from "../../src/world/author.ts";
import { eventsOf, type WorldEvent } from "../../src/world/events.ts";
import { Renderer } from "../../src/world/renderer.ts";
import { openSprites } from "../../src/world/sprite_store.ts";
import { writeSquareArt } from "../support/square_art.ts";
import { no_trainer, trainer_path } from "./built.ts";
import { toy_data, toy_images, writeToy } from "./toy_visual.ts";

const pond = new URL("../../models/gander-pond", import.meta.url).pathname;
let folder: string;
let said: string[] = [];
let moves: WorldEvent[];

function ports() {
  return {
    signal: new AbortController().signal,
    say: { line: (text: string) => void said.push(text) },
    ...{ decodePicture, watchVideo },
    openTrainer: (options: Omit<Parameters<typeof openTrainer>[0], "library_path">) =>
      openTrainer({ library_path: trainer_path, ...options }),
    prepareArt: () => Promise.reject(new Error("no art is needed")),
  };
}

/** Returns what happens in it. */
async function film(name: string, seed: number): Promise<WorldEvent[]> {
  const duration_s = 8, fps = 6, size = { width_px: 96, height_px: 96 };
  const styles = ["noto"], grammar = "train" as const;
  const script = inventScene({ seed, level: "L1", duration_s, styles, grammar, still: false });
  const renderer = new Renderer(script, openSprites(join(folder, "art")), size);
  const frames = Array.from({ length: duration_s * fps }, (_, index) => renderer.frame(index / fps));
  await writeVideo(join(folder, name), { ...size, fps }, frames, new AbortController().signal);
  return eventsOf(script);
}

const vtt =
  "WEBVTT\n\n1\n00:01.200 --> 00:03.000\n<v Ann>the gate\nopens\n\n00:00:05.000 --> 00:00:06.000\nit shuts\n";
const rows: unknown[] = [
  { video: "a.mp4", captions: [{ t: 1.5, text: "the gate opens" }, { t: 4, text: "the gate shuts" }] },
  { video: "b.mp4", captions: "b.vtt" },
  {
    id: 7,
    video: "c.mp4",
    captions: [{ t: 2, text: "the gate opens" }, { t: 70, text: "long over" }],
    questions: [{ t: 6, question: "what did the gate do?", answer: "it opened" }],
  },
  "no row",
  { video: "missing.mp4", captions: [] },
  { video: "../a.mp4", captions: [] },
  { video: "text.mp4", captions: [] },
  { video: "a.mp4", captions: [{ t: -1, text: "before" }] },
  { video: "a.mp4", captions: [], caption: [] },
];

async function logOf(out_dir: string): Promise<{ loss?: number; scores?: Record<string, number> }[]> {
  const text = await Deno.readTextFile(join(out_dir, "log.jsonl"));
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

async function lossesOf(out_dir: string): Promise<number[]> {
  return (await logOf(out_dir)).flatMap(({ loss }) => loss ?? []);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("stage 3 on own videos", { sanitizeOps: false, sanitizeResources: false }, () => {
  beforeAll(async () => {
    folder = Deno.makeTempDirSync({ prefix: "gander-videos-" });
    writeSquareArt(join(folder, "art"));
    moves = await film("a.mp4", 6);
    for (const [name, seed] of [["b.mp4", 2], ["c.mp4", 3]] as const) await film(name, seed);
    Deno.writeTextFileSync(join(folder, "b.vtt"), vtt);
    Deno.writeTextFileSync(join(folder, "text.mp4"), "this is no film");
    const lines = rows.map((row) => typeof row === "string" ? row : JSON.stringify(row));
    Deno.writeTextFileSync(join(folder, "rows.jsonl"), lines.join("\n"));
  });
  afterAll(() => Deno.removeSync(folder, { recursive: true }));

  const words = () => ({
    ...{ data: join(folder, "rows.jsonl"), bundle: pond, feature_dir: join(folder, "features") },
    ...{ micro_bsz: "2", epoch_count: "1", epoch_steps: "16", warmup_steps: "1", lr_init: "1e-3" },
    ...{ validate_steps: "1000", name: "gate-watcher", speak_threshold: "0.4" },
  });

  it.unless(no_trainer, "goes from films to a bundle, and counts bad rows", async () => {
    said = [];
    const out = join(folder, "carried");
    const carried = { carried_segments: "4", carried_positions: "48" };
    expect(await trainStream({ ...words(), ...carried, proj_dir: out }, ports())).toEqual({
      step: 16,
      finished: true,
    });
    const losses = await lossesOf(out);
    expect(mean(losses.slice(-4))).toBeLessThan(0.6 * mean(losses.slice(0, 4)));
    const bad = said.filter((line) => /rows\.jsonl: line \d+: /.test(line));
    const problems = [
      [4, "it is no object"],
      [5, "not found"],
      [6, "leads out of the folder"],
      [7, "cannot be watched"],
      [8, "caption 1 has no"],
      [9, '"caption" is not known'],
    ] as const;
    for (const [line, problem] of problems) {
      expect([line, bad.find((one) => one.includes(`line ${line}: `))]).toEqual([
        line,
        expect.stringContaining(problem),
      ]);
    }
    expect(bad.find((one) => one.includes("line 3: "))).toMatch(/1 lines or questions behind the end/);
    expect(said.join("\n")).toMatch(/3 videos, 24 s; 6 of 9 rows are bad/);

    const bundle = await readBundle(join(out, "bundle"));
    const { manifest } = bundle, before = (await readBundle(pond)).manifest;
    expect(manifest).toMatchObject({
      name: "gate-watcher",
      policy: "stream",
      trained: true,
      rwkv: before.rwkv,
    });
    expect(manifest.caption.speak_threshold).toBe(0.4);
    const hashOf = (of: typeof manifest, file: string) =>
      of.sources.find(({ path }) => path === file)!.sha256;
    // What it says and how it sees have changed; its words have not.
    expect(hashOf(manifest, "rwkv.safetensors")).not.toBe(hashOf(before, "rwkv.safetensors"));
    expect(hashOf(manifest, "vision.onnx")).not.toBe(hashOf(before, "vision.onnx"));
    expect(hashOf(manifest, "tokenizer.txt")).toBe(hashOf(before, "tokenizer.txt"));
    expect((await openLanguage(bundle)).question("hm?")).toEqual(
      (await openLanguage(await readBundle(pond))).question("hm?"),
    );
  });

  it.unless(
    no_trainer,
    "teaches a checkpoint of single pictures to narrate, and the service hears it",
    async () => {
      const toy = await writeToy(folder), pictures = join(folder, "pictures");
      await trainPretrain({
        ...{ proj_dir: pictures, data_file: toy_data, image_folder: toy_images, vision_tower_dir: toy.tower },
        ...{ load_model: toy.language, tokenizer: toy.vocabulary, ctx_len: "160", num_token_per_image: "4" },
        ...{ licence: "Apache-2.0", micro_bsz: "2", epoch_steps: "1", epoch_count: "1", threads: "1" },
      }, ports());
      const before = (await readBundle(join(pictures, "bundle"))).manifest;
      expect([before.policy, before.vision!.vectors_per_frame]).toEqual(["refresh", 4]);
      const data = join(folder, "one.jsonl"), out = join(folder, "narrator");
      // At ticks at which something moves: still ones are not fed.
      const tickAfter = (t_s: number) => 500 * Math.ceil(2 * t_s);
      const told = [[tickAfter(moves[0]!.t_s), "now"], [tickAfter(moves.at(-1)!.t_s), "then"]] as [
        number,
        string,
      ][];
      const row = { video: "a.mp4", captions: told.map(([t_ms, text]) => ({ t: t_ms / 1000, text })) };
      Deno.writeTextFileSync(data, JSON.stringify(row));
      const narrator = { ...words(), data, bundle: join(pictures, "bundle"), proj_dir: out };
      const steps = {
        micro_bsz: "1",
        epoch_steps: "240",
        lr_init: "6e-3",
        lr_final: "2e-4",
        silence_weight: "1",
        ...{ val_file: data, validate_steps: "120" },
      };
      expect((await trainStream({ ...narrator, ...steps }, ports())).finished).toBe(true);
      // It was validated on what it learned by heart.
      const { scores } = (await logOf(out)).at(-1)!;
      expect(scores).toMatchObject({ timing_f1: 1, lines_right: 1 });
      expect(scores!.silence_loss).toBeLessThan(0.1);

      const { manifest } = await readBundle(join(out, "bundle"));
      expect([manifest.policy, manifest.vision]).toEqual(["stream", before.vision]);
      const io = { out: () => {}, err: () => {}, stop: new AbortController().signal };
      const house = await EvalHouse.open(
        readEvalOptions(["--bundle", join(out, "bundle")]),
        io,
        compose,
        () => {
          throw new Error("nothing is rendered here");
        },
      );
      try {
        const { captions } = await house.play({
          name: "gate",
          video: join(folder, "a.mp4"),
          snapshots: false,
        });
        expect(captions.map(({ t_media_ms, text }) => [t_media_ms, text])).toEqual(told);
      } finally {
        await house.close();
      }
    },
  );

  it.unless(no_trainer, "goes on from its own weights, without a carried state", async () => {
    const out = join(folder, "alone"), load_model = join(folder, "carried", "stream.pth");
    const alone = { ...words(), proj_dir: out, load_model, ticks_min: "4", ticks_max: "8", epoch_steps: "4" };
    expect((await trainStream(alone, ports())).finished).toBe(true);
    // It knows the films already: far from what it began with.
    expect((await lossesOf(out))[0]).toBeLessThan(0.7 * (await lossesOf(join(folder, "carried")))[0]!);
  });

  it.unless(no_trainer, "refuses what cannot be, in a sentence", async () => {
    const refused = (change: Record<string, string>) =>
      trainStream({ ...words(), proj_dir: join(folder, "refused"), ...change }, ports());
    await expect(refused({ bundle: "" })).rejects.toThrow("--bundle DIR (or --tower FILE) is missing");
    await expect(refused({ data: "" })).rejects.toThrow("it goes with --data");
    await expect(refused({ data: "", bundle: "", val_file: "rows.jsonl" })).rejects.toThrow(
      "Cannot use --val_file: it goes with --data",
    );
    Deno.writeTextFileSync(join(folder, "none.jsonl"), "{}\n");
    await expect(refused({ data: join(folder, "none.jsonl") })).rejects.toThrow(
      /none of its 1 rows is good.*line 1/,
    );
  });
});
