// The commands behind "gander train pretrain" and "gander train finetune": from flags to a run and its weights. Wires;
// what is outside of this room (the trainer's library, picture files) comes as ports.
import { join } from "node:path";
import { type FlagWords, readRunFlags, train_run_flags } from "../flags.ts";
import type { Trainer } from "../ports.ts";
import { type RunEnd, type RunPorts, runStage } from "../run.ts";
import { isBundle, startFromBundle } from "./bundle_start.ts";
import { DataError } from "./errors.ts";
import type { DecodePicture } from "./feature_tower.ts";
import { FeatureCache, type FeatureSource } from "./features.ts";
import { readVisualFlags, type VisualSettings } from "./flags.ts";
import { data_limits } from "./limits.ts";
import { SampleIndex } from "./sample_index.ts";
import { type SavePlace, saveWeights, weightsPath } from "./saved_weights.ts";
import { startFromFiles, type VisualStart } from "./visual_start.ts";
import { visualStage } from "./visual_stage.ts";

export interface LanguageTrainPorts extends RunPorts {
  openTrainer(options: { kind: "language"; device: "auto" | "cpu" | "cuda"; threads: number }): Trainer;
}

export interface VisualTrainPorts extends LanguageTrainPorts {
  decodePicture: DecodePicture;
}

/** Upstream's recipes where they differ from the defaults of a run (spec 6.3); src/train/flags.ts prints them in a help. */
export const visual_run_flags = {
  pretrain: { lr_init: "1e-3", lr_final: "1e-5" },
  finetune: { lr_init: "6e-5", lr_final: "1.5e-5" },
} as const;

/** Stage 1: a projector between a tower and a language model that both stay as they are. */
export function trainPretrain(words: FlagWords, ports: VisualTrainPorts): Promise<RunEnd> {
  return trainVisual("pretrain", words, ports);
}

/** Stage 2: the language model with its projector, on conversations. */
export function trainFinetune(words: FlagWords, ports: VisualTrainPorts): Promise<RunEnd> {
  return trainVisual("finetune", words, ports);
}

async function trainVisual(
  name: "pretrain" | "finetune",
  words: FlagWords,
  ports: VisualTrainPorts,
): Promise<RunEnd> {
  const run = readRunFlags(words, visual_run_flags[name]);
  const { out_dir } = run.options;
  const settings = readVisualFlags(name, words, out_dir);
  const { say } = ports;
  await using start = await openStart(settings, run.seed);
  const { layers, generation } = start.sizes;
  const projector = `${start.fresh_projector ? "a new" : "its"} ${start.projector} projector`;
  say.line(`${name}: ${start.title}, RWKV-${generation}, ${projector}`);
  for (const note of start.notes) say.line(note);
  const tokenizer = await start.findTokenizer(settings.tokenizer_path);
  if (tokenizer === undefined) {
    throw new DataError(
      "data_options",
      `Cannot ${name} "${start.file}": it has no vocabulary; --tokenizer FILE`,
    );
  }
  const freeze_rwkv = settings.freeze_rwkv ?? layers;
  if (freeze_rwkv >= layers && settings.freeze_proj) {
    throw new DataError("data_options", `Cannot ${name} "${start.file}": everything is frozen`);
  }
  const freeze = { layers, freeze_rwkv, freeze_proj: settings.freeze_proj, weight_decay: run.weight_decay };
  const images_min = freeze_rwkv >= layers ? 1 : 0;
  using data = await openData(settings.data_path, settings, images_min, say.line);
  using validation = settings.val_path === undefined
    ? undefined
    : await openData(settings.val_path, settings, 0, say.line);
  await using source = await start.openTower({
    ...{ dir: join(out_dir, "tower"), threads: settings.vision_threads },
    ...{ decodePicture: ports.decodePicture, log: say.line },
  });
  const features = await FeatureCache.open(source, {
    dir: settings.feature_dir,
    bytes_max: settings.feature_bytes_max,
  });

  const stage = visualStage({
    ...{ name, model: start, data, validation, features },
    ...freeze,
    ...{ ctx_len: settings.ctx_len, image_position: settings.image_position },
    ...{ pad_to_ctx_len: settings.pad_to_ctx_len, validation_samples: settings.val_samples },
    encode: (text) => tokenizer.tokenizer.encode(text),
    micro_bsz: run.micro_bsz,
    begin_micro_steps: run.begin_micro_steps,
    numbers: { ...run.numbers, l2wrap: settings.l2wrap },
    settings: describeRun(settings, data, source, run),
  });
  const place = savePlace(words, out_dir, settings.save_dtype);
  using trainer = ports.openTrainer({ kind: "language", device: run.device, threads: run.threads });
  const onSave: NonNullable<Parameters<typeof runStage>[2]["onSave"]> = async (step, parameters) => {
    say.line(`saved ${await saveWeights(place, step, parameters, await start.unchanged())}`);
  };
  const end = await runStage(stage, trainer, { ...run.options, onSave }, ports);
  if (stage.passed_over.size > 0) say.line(`${stage.passed_over.size} samples were passed over`);
  if (end.finished && settings.save_bundle) {
    const dir = join(out_dir, "bundle");
    await start.saveBundle(weightsPath(place, run.options.steps), {
      ...{ dir, name: `gander-${name}`, licence: settings.licence, tokenizer_path: tokenizer.place },
      ...{ image_position: settings.image_position, images_most: data.report.images_most },
    });
    say.line(`made the bundle ${dir}`);
  }
  return end;
}

async function openData(
  path: string,
  { image_folder, max_rounds, image_position }: VisualSettings,
  images_min: 0 | 1,
  onProblem: (line: string) => void,
): Promise<SampleIndex> {
  const images_max = image_position === "many" ? data_limits.images_max : 1;
  const data = await SampleIndex.open(path, { image_folder, max_rounds, images_min, images_max, onProblem });
  const { rows, samples, bad_rows, dropped_rounds } = data.report;
  onProblem(
    `${path}: ${samples} samples of ${rows} rows; ${bad_rows} bad rows and ${dropped_rounds} rounds without an ` +
      "answer left out",
  );
  return data;
}

/** A folder with a manifest is a bundle; with a tower beside it, only its language model is taken. */
async function openStart(settings: VisualSettings, seed: number): Promise<VisualStart> {
  const options = { ...settings, ...settings.sizes, seed };
  const [path] = settings.paths;
  const whole = settings.paths.length === 1 && settings.tower_paths.length === 0 && await isBundle(path!);
  return whole ? await startFromBundle(path!, options) : await startFromFiles(options);
}

/** What a run that goes on must have in common with its beginning, beside the settings of the run itself. */
function describeRun(
  { ctx_len, image_position, max_rounds }: VisualSettings,
  data: SampleIndex,
  source: FeatureSource,
  { micro_bsz, begin_micro_steps, seed }: { micro_bsz: number; begin_micro_steps: number; seed: number },
): Record<string, string | number> {
  return {
    ...{ ctx_len, image_position, max_rounds, micro_bsz, begin_micro_steps, seed },
    samples: data.count,
    data_bytes: Deno.statSync(data.path).size,
    tower: source.hash.slice(0, 16),
  };
}

/** Where weights are put, by flags of the run that were read before and are right. */
export function savePlace(words: FlagWords, out_dir: string, dtype: SavePlace["dtype"]): SavePlace {
  const number = (name: string) =>
    Number(words[name] ?? train_run_flags.find((flag) => flag.name === name)!.initial);
  return {
    ...{ out_dir, dtype, epoch_begin: number("epoch_begin") },
    epoch_steps: number("epoch_steps") / number("accumulate_grad_batches"),
  };
}
