// The command behind "gander train stream": a language model that learns to narrate and to answer on ticks of the
// synthetic world, seen through a simulated tower, a real one, or both. Wires; the trainer's library comes as a port.
import { join } from "node:path";
import { TrainError } from "../errors.ts";
import {
  flag,
  type FlagWords,
  type NumberReader,
  numberReader,
  readRunFlags,
  type RunFlag,
  type RunFlags,
} from "../flags.ts";
import type { NamedTensor } from "../ports.ts";
import { type RunEnd, runStage } from "../run.ts";
import { loadTensors } from "../tensor_files.ts";
import { writeTorch } from "../torch_writer.ts";
import { trainOnVideos, type VideoTrainPorts } from "../video/command.ts";
import { demo_sizes, streamParameters } from "./beginning.ts";
import { stream_defaults, StreamStage } from "./stage.ts";
import { makeStreamBundle } from "./finished.ts";
import { openTowerEyes } from "./tower_features.ts";

/** What the demo model learned best with, where that differs from the defaults of a run. */
export const stream_run_flags = {
  ...{ lr_init: "1.5e-3", lr_final: "5e-5", lr_decay: "linear", warmup_steps: "50", beta2: "0.98" },
  ...{ micro_bsz: "4", epoch_steps: "500", epoch_count: "20", epoch_save: "0", weight_decay: "0.05" },
  threads: "1",
} as const;

const initial = stream_defaults;
export const stream_flags: readonly RunFlag[] = [
  flag(
    "data",
    "",
    "your own videos with lines, JSON or JSONL, instead of the synthetic world; needs --bundle or --tower",
  ),
  flag("video_dir", "", "folder of its videos; default: where --data lies"),
  flag("val_file", "", "with --data: videos with lines that are not trained on, scored at every validation"),
  flag("val_samples", "64", "pieces of them that are scored, from the beginning"),
  flag("bundle", "", "with --data: what to begin with; its words, language model, tower and projector"),
  flag("feature_dir", "", "with --data: where what the tower saw is kept; default: proj_dir/features"),
  flag("vision_threads", "1", "with --data: threads of the tower"),
  flag("freeze_emb", "0", "with --data: 1: embeddings stay as they are, as in stage 2"),
  flag(
    "silence_weight",
    String(initial.weights.silence),
    "of a tick without a line, beside 1 for a word of a line",
  ),
  flag("load_model", "", "weights of an earlier stream stage (.pth) to begin with; default: a new model"),
  flag("n_layer", String(demo_sizes.layers), "layers of a new model"),
  flag("n_embd", String(demo_sizes.width), "its width, a multiple of 64"),
  flag(
    "tower",
    "",
    "tower.safetensors of gander train tower: what sees real pictures, and goes into the bundle",
  ),
  flag("side_px", "96", "the side that tower was trained at"),
  flag(
    "real_share",
    String(initial.real_share),
    "share of clips seen by that tower; the others are simulated",
  ),
  flag("errors_max", String(initial.errors_max), "how bad the simulated tower may be, 0 to 1"),
  flag("ticks_min", String(initial.ticks_min), "shortest row, ticks"),
  flag("ticks_max", String(initial.ticks_max), "longest row, ticks"),
  flag(
    "carried_segments",
    String(initial.carried_segments),
    "rows whose state goes on into the next; 0: none",
  ),
  flag("carried_positions", String(initial.carried_positions), "positions of such a row"),
  flag(
    "asked_between",
    String(initial.asked_between),
    "chance per tick of a question, in such rows of the synthetic world",
  ),
  flag(
    "gated_share",
    String(initial.gated_share),
    "share of clips whose still ticks are left out, as the service does",
  ),
  flag(
    "save_bundle",
    "1",
    "1: at the end the model becomes a bundle in proj_dir/bundle, when there is a tower",
  ),
  flag("name", "gander-stream", "of that bundle"),
  flag("speak_threshold", "0.5", "P(speak) from which it speaks"),
];

export interface StreamTrainPorts extends VideoTrainPorts {
  prepareArt(): Promise<{ art_dir: string }>;
}

/** A run found in proj_dir goes on; weights are in proj_dir/stream.pth at the end. */
export async function trainStream(words: FlagWords, ports: StreamTrainPorts): Promise<RunEnd> {
  const run = readRunFlags(words, stream_run_flags);
  const { out_dir, steps } = run.options;
  const number = numberReader(words, stream_flags);
  const side_px = number("side_px", 32, 512);
  const tower = words.tower ? await loadTensors(words.tower) : undefined;
  const weights = { ...initial.weights, silence: number("silence_weight", 0, 100) };
  if (words.data) {
    const bundle_dir = words.bundle || await worldBundle(words, { run, number, side_px, tower });
    const load_model = words.bundle ? words.load_model : undefined;
    return await trainOnVideos({ words, run, number, weights, bundle_dir, load_model }, ports);
  }
  if (words.val_file) throw new TrainError("train_invalid", "Cannot use --val_file: it goes with --data");
  if (words.bundle) throw new TrainError("train_invalid", "Cannot use --bundle: it goes with --data");
  const real_share = number("real_share", 0, 1);
  if (real_share > 0 && !tower) {
    throw new TrainError("train_invalid", "Cannot train on real pictures: --tower is missing");
  }
  await using eyes = real_share > 0
    ? await openTowerEyes((name) => tower!.get(name), {
      ...{ work_dir: join(out_dir, "tower"), art_dir: (await ports.prepareArt()).art_dir, side_px },
    })
    : undefined;
  const stage = new StreamStage({
    ...{ ...stream_defaults, numbers: run.numbers },
    ...{ seed: run.seed, rows: run.micro_bsz, weight_decay: run.weight_decay, real_share, tower: eyes?.look },
    weights,
    ...{ ticks_min: number("ticks_min", 4, 4_000), ticks_max: number("ticks_max", 4, 4_000) },
    ...{ errors_max: number("errors_max", 0, 1), gated_share: number("gated_share", 0, 1) },
    carried_segments: number("carried_segments", 0, 1_000),
    carried_positions: number("carried_positions", 16, 10_000),
    asked_between: number("asked_between", 0, 1),
    parameters: () => beginning(words, run, number),
  });
  using trainer = ports.openTrainer({ kind: "language", device: run.device, threads: run.threads });
  return await runStage(stage, trainer, {
    ...run.options,
    async onSave(step, parameters) {
      const path = join(out_dir, step === steps ? "stream.pth" : `stream-${step}.pth`);
      await writeTorch(path, parameters, { type: "f32" });
      ports.say.line(`saved ${path}`);
      if (step < steps || !tower || words.save_bundle === "0") return;
      await makeStreamBundle(join(out_dir, "bundle"), {
        ...{ parameters, tower: (name) => tower.get(name), side_px, name: words.name ?? "gander-stream" },
        ...{
          origin: `gander train stream, ${steps} steps`,
          speak_threshold: number("speak_threshold", 0, 1),
        },
      });
      ports.say.line(`made the bundle ${join(out_dir, "bundle")}`);
    },
  }, ports);
}

/** A model of the world with its tower, as a bundle to begin with. */
async function worldBundle(
  words: FlagWords,
  { run, number, side_px, tower }: {
    run: RunFlags;
    number: NumberReader;
    side_px: number;
    tower: ReadonlyMap<string, NamedTensor> | undefined;
  },
): Promise<string> {
  if (!tower) {
    throw new TrainError(
      "train_invalid",
      "Cannot train on --data: --bundle DIR (or --tower FILE) is missing",
    );
  }
  const dir = join(run.options.out_dir, "beginning");
  await makeStreamBundle(dir, {
    ...{ parameters: await beginning(words, run, number), tower: (name) => tower.get(name), side_px },
    ...{ name: "beginning", origin: words.load_model || "a new model" },
    speak_threshold: number("speak_threshold", 0, 1),
  });
  return dir;
}

async function beginning(
  { load_model }: FlagWords,
  { seed }: RunFlags,
  number: NumberReader,
): Promise<Map<string, NamedTensor>> {
  if (load_model) return await loadTensors(load_model);
  return streamParameters({ width: number("n_embd", 64, 4096), layers: number("n_layer", 1, 64), seed });
}
