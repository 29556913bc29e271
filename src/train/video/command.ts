// "gander train stream --data": stage 3 on people's own videos with lines, from a bundle. Wires; what plays videos and the
// trainer's library come as ports.
import { dirname, join } from "node:path";
import { TrainError } from "../errors.ts";
import type { FlagWords, NumberReader, RunFlags } from "../flags.ts";
import type { LanguageTrainPorts } from "../llava/train_visual.ts";
import { type RunEnd, runStage } from "../run.ts";
import type { RoleWeights } from "../stream/batch.ts";
import { writeTorch } from "../torch_writer.ts";
import { openVideoData } from "./data.ts";
import { startFromStreamBundle } from "./start.ts";
import type { WatchVideo } from "./tick_file.ts";
import { VideoStage } from "./video_stage.ts";

export interface VideoTrainPorts extends LanguageTrainPorts {
  watchVideo: WatchVideo;
}

export interface VideoTrainRequest {
  words: FlagWords;
  run: RunFlags;
  number: NumberReader;
  weights: RoleWeights;
  /** The bundle to begin with. */
  bundle_dir: string;
  load_model: string | undefined;
}

/** Ticks that a carried row has room for at least, unless it is said. */
const ticks_per_row = 4;

/** Weights are in proj_dir/stream.pth at the end, and the bundle in proj_dir/bundle. */
export async function trainOnVideos(request: VideoTrainRequest, ports: VideoTrainPorts): Promise<RunEnd> {
  const { words, run, number, weights, bundle_dir, load_model } = request;
  const { out_dir, steps } = run.options;
  const { say } = ports;
  await Deno.mkdir(out_dir, { recursive: true });
  await using start = await startFromStreamBundle(bundle_dir, {
    ...{ folder: join(out_dir, "tower"), threads: number("vision_threads", 1, 64), log: say.line },
  });
  if (!start.projector) say.line("Its tower's projector is not known: only the language model learns.");
  const { eyes } = start;
  const open = (path: string) =>
    openVideoData(path, {
      video_dir: words.video_dir ?? dirname(path),
      ...{ eyes, watch: ports.watchVideo, dir: words.feature_dir ?? join(out_dir, "features") },
      ...{ say: say.line, signal: ports.signal },
    });
  const data = await open(words.data!);
  const validation = words.val_file && !ports.signal.aborted ? (await open(words.val_file)).clips : [];
  if (ports.signal.aborted) return { step: 0, finished: false };
  const seconds = data.clips.reduce((sum, { ticks }) => sum + ticks.count, 0) / eyes.frames.rate_hz;
  say.line(
    `stream: ${start.bundle.manifest.name}, ${data.clips.length} videos, ${Math.round(seconds)} s` +
      (data.bad_rows > 0 ? `; ${data.bad_rows} of ${data.rows} rows are bad and left out` : ""),
  );
  const [ticks_min, ticks_max] = [number("ticks_min", 4, 4_000), number("ticks_max", 4, 4_000)];
  if (ticks_min > ticks_max) {
    throw new TrainError("train_invalid", `Cannot use --ticks_min ${ticks_min}: --ticks_max is ${ticks_max}`);
  }
  const stage = new VideoStage({
    ...{ clips: data.clips, validation, validation_windows: number("val_samples", 1, 10_000) },
    ...{ words: start.words, vectors: eyes.vectors, width: eyes.width },
    ...{ seed: run.seed, rows: run.micro_bsz, ticks_min, ticks_max, weights, weight_decay: run.weight_decay },
    carried_segments: number("carried_segments", 0, 1_000),
    carried_positions: words.carried_positions === undefined
      ? Math.max(number("carried_positions", 16, 100_000), ticks_per_row * (eyes.vectors + 1))
      : number("carried_positions", 16, 100_000),
    freeze_emb: number("freeze_emb", 0, 1) > 0,
    numbers: run.numbers,
    settings: {
      data: words.data!,
      rows_read: data.rows,
      bad_rows: data.bad_rows,
      eyes: eyes.hash.slice(0, 16),
    },
    parameters: () => start.parameters(load_model),
  });
  using trainer = ports.openTrainer({ kind: "language", device: run.device, threads: run.threads });
  return await runStage(stage, trainer, {
    ...run.options,
    async onSave(step, parameters) {
      const path = join(out_dir, step === steps ? "stream.pth" : `stream-${step}.pth`);
      await writeTorch(path, parameters, { type: "f32" });
      say.line(`saved ${path}`);
      if (step < steps || words.save_bundle === "0") return;
      const lines = data.clips.flatMap(({ lines }) => [...lines.values()]);
      await start.save(join(out_dir, "bundle"), parameters, {
        name: words.name ?? "gander-stream",
        speak_threshold: number("speak_threshold", 0, 1),
        line_tokens: lines.reduce((most, line) => Math.max(most, start.words.encode(` ${line}`).length), 0),
      });
      say.line(`made the bundle ${join(out_dir, "bundle")}`);
    },
  }, ports);
}
