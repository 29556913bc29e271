// The command behind "gander train tower": the synthetic world, or anybody's pictures with captions, to a tower. Wires;
// the trainer's library and the decoder of picture files come as ports.
import { join } from "node:path";
import { Tokenizer } from "../../model/tokenizer.ts";
import { resizeInto } from "../../vision/resize.ts";
import { flag, type FlagWords, readRunFlags, type RunFlag, type RunFlags } from "../flags.ts";
import { data_limits } from "../llava/limits.ts";
import { SampleIndex } from "../llava/sample_index.ts";
import type { VisualTrainPorts } from "../llava/train_visual.ts";
import { type RunEnd, runStage } from "../run.ts";
import type { Stage } from "../stage.ts";
import { worldVocabulary } from "../stream/vocabulary.ts";
import { saveTensors } from "../tensor_files.ts";
import { TrainError } from "../errors.ts";
import { type ImageTextRow, ImageTextStage } from "./image_text_stage.ts";
import { demo_stem, towerParameters } from "./parameters.ts";
import { TowerStage } from "./stage.ts";
import type { Words } from "./words.ts";

/** What a tower of the demo's size learned best with, where that differs from the defaults of a run. */
export const tower_run_flags = {
  ...{ lr_init: "1.2e-3", lr_final: "0", lr_decay: "linear", warmup_steps: "100", beta2: "0.98" },
  ...{ micro_bsz: "64", epoch_steps: "500", epoch_count: "20", epoch_save: "0", threads: "1" },
} as const;

export const tower_flags: readonly RunFlag[] = [
  flag(
    "data_file",
    "",
    "LLaVA rows with one picture each, whose first answer is the caption; default: the synthetic world",
  ),
  flag("image_folder", "", "root of the picture paths in data_file"),
  flag("val_file", "", "rows that are not trained on, for the validation"),
  flag("tokenizer", "", "vocabulary of the captions; default: the world's words"),
  flag("side_px", "96", "width and height of a frame, a multiple of 16"),
];

export interface TowerTrainPorts extends Pick<VisualTrainPorts, "signal" | "say" | "decodePicture"> {
  openTrainer(options: { kind: "tower"; device: RunFlags["device"]; threads: number }): ReturnType<
    VisualTrainPorts["openTrainer"]
  >;
  /** Makes sure that the art styles are there. */
  prepareArt(): Promise<{ art_dir: string }>;
}

/** A run found in proj_dir goes on; at the end the tensors are in proj_dir/tower.safetensors. */
export async function trainTower(words: FlagWords, ports: TowerTrainPorts): Promise<RunEnd> {
  const run = readRunFlags(words, tower_run_flags);
  const side_px = readSide(words.side_px ?? "96");
  const { out_dir } = run.options;
  using opened = await openStage(words, run, side_px, ports);
  using trainer = ports.openTrainer({ kind: "tower", device: run.device, threads: run.threads });
  const last = run.options.steps;
  return await runStage(opened.stage, trainer, {
    ...run.options,
    async onSave(step, parameters) {
      const name = step === last ? "tower.safetensors" : `tower-${step}.safetensors`;
      await saveTensors(join(out_dir, name), parameters, `gander train tower, step ${step}`);
      ports.say.line(`saved ${name}`);
    },
  }, ports);
}

function readSide(text: string): number {
  const side_px = Number(text);
  if (Number.isInteger(side_px) && side_px >= 32 && side_px <= 512 && side_px % 16 === 0) return side_px;
  throw new TrainError(
    "train_invalid",
    `Cannot use --side_px "${text}": it is a multiple of 16 from 32 to 512`,
  );
}

async function openStage(
  words: FlagWords,
  { seed, micro_bsz: batch_size }: RunFlags,
  side_px: number,
  ports: TowerTrainPorts,
): Promise<{ stage: Stage; [Symbol.dispose](): void }> {
  const vocabulary: Words = words.tokenizer ? await readWords(words.tokenizer) : worldVocabulary();
  if (!words.data_file) {
    const { art_dir } = await ports.prepareArt();
    const stage = new TowerStage({ seed, batch_size, side_px, art_dir, words: vocabulary });
    return { stage, [Symbol.dispose]: () => stage[Symbol.dispose]() };
  }
  const { rows, readPicture } = await openRows(words.data_file, words, side_px, ports);
  const check = words.val_file ? await openRows(words.val_file, words, side_px, ports) : undefined;
  const stage = new ImageTextStage({
    ...{ rows, readPicture, batch_size, side_px, words: vocabulary },
    ...check && { check_rows: check.rows },
    // deno-lint-ignore require-await
    parameters: async () =>
      towerParameters({ side_px, stem: demo_stem, layers: 3, shared: 128, words: vocabulary.size }, seed),
  });
  return { stage, [Symbol.dispose]: () => {} };
}

async function readWords(path: string): Promise<Words> {
  const tokenizer = Tokenizer.parse(await Deno.readFile(path), path);
  return { encode: (text) => tokenizer.encode(text), size: tokenizer.id_max + 1 };
}

async function openRows(
  path: string,
  { image_folder }: FlagWords,
  side_px: number,
  { decodePicture, say }: TowerTrainPorts,
) {
  using index = await SampleIndex.open(path, {
    ...{ image_folder, max_rounds: data_limits.turns_max, images_min: 1 as const, images_max: 1 },
    onProblem: say.line,
  });
  const rows = Array.from({ length: index.count }, (_, number): ImageTextRow => {
    const { images, rounds } = index.read(number);
    return { picture: index.imagePath(images[0]!), caption: rounds[0]!.gpt };
  });
  const size = { width_px: side_px, height_px: side_px };
  const whole = { left_px: 0, top_px: 0 };
  const readPicture = async ({ picture: name }: ImageTextRow) => {
    const picture = await decodePicture(await Deno.readFile(name), { name });
    const out = new Uint8Array(side_px * side_px * 3);
    const { width_px, height_px } = picture;
    const source = { ...whole, width_px, height_px };
    resizeInto(out, picture, { source, filter: "bicubic", size, window: { ...whole, ...size } });
    return out;
  };
  return { rows, readPicture };
}
