// The stages "pretrain" and "finetune" of VisualRWKV (spec 6.1): which sample a micro-step sees, and the batch that is
// made of it. The order is a function of the micro-step alone. Must not know trainers, checkpoints or schedules.
import { cubicOrder, drawsOf } from "../data_order.ts";
import type { Batch } from "../ports.ts";
import type { Stage } from "../stage.ts";
import { type BatchRow, packBatch } from "./batch.ts";
import { DataError } from "./errors.ts";
import { type FeatureCache, PictureFault } from "./features.ts";
import { type FreezeOptions, groupOf } from "./freezing.ts";
import { exampleOf } from "./passes.ts";
import { data_limits } from "./limits.ts";
import type { Sample } from "./row.ts";
import type { SampleIndex } from "./sample_index.ts";
import { cutSequence, ignored, writeSequence } from "./sequence.ts";
import { type ImagePosition, writeTurns } from "./turn_texts.ts";
import type { VisualModel } from "./visual_model.ts";
import { answerScores } from "./answer_scores.ts";

export interface VisualStageOptions extends FreezeOptions {
  name: "pretrain" | "finetune";
  model: Pick<VisualModel, "parameters">;
  data: SampleIndex;
  /** Scored every validate_every steps: the first `validation_samples` of it. */
  validation: SampleIndex | undefined;
  validation_samples: number;
  features: Pick<FeatureCache, "read" | "width">;
  encode: (text: string) => readonly number[];
  ctx_len: number;
  image_position: ImagePosition;
  /** Rows are filled up to ctx_len, as upstream does, or only to the longest of the batch: the same loss, sooner. */
  pad_to_ctx_len: boolean;
  micro_bsz: number;
  /** Micro-steps of a run before this one: epoch_begin * epoch_steps. */
  begin_micro_steps: number;
  /** Settings of the trainer: l2wrap, grad_checkpoint, bf16. */
  numbers: Readonly<Record<string, number>>;
  /** What must be the same for a run to go on. */
  settings: Readonly<Record<string, string | number>>;
}

export interface VisualStage extends Stage {
  /** Samples that were passed over: a picture cannot be read, or nothing that is learned lies within ctx_len. */
  readonly passed_over: ReadonlySet<number>;
}

export function visualStage(options: VisualStageOptions): VisualStage {
  const { data, validation, micro_bsz, begin_micro_steps } = options;
  const order = cubicOrder(data.count);
  const passed_over = new Set<number>();

  /** The sample, or the next one that can be trained on: the same at every time, as long as the files are. */
  async function readRow(number: number): Promise<BatchRow> {
    for (let tried = 0; tried < Math.min(data.count, data_limits.substitutes_max); tried++) {
      const at = (number + tried) % data.count;
      if (passed_over.has(at)) continue;
      const sample = data.read(at);
      const row = await writeRow(sample, data, options).catch((error) => {
        if (error instanceof PictureFault) return error.message;
        throw error;
      });
      const empty = typeof row !== "string" && row.cut.labels.every((label) => label === ignored);
      if (typeof row !== "string" && !empty) return row;
      if (passed_over.has(at)) continue; // another row of the batch came across it meanwhile
      passed_over.add(at);
      const why = typeof row === "string" ? row : `no answer lies within ${options.ctx_len} positions`;
      data.tell(`${data.path}: sample "${sample.id}": ${why}`);
    }
    throw new DataError(
      "data_invalid",
      `Cannot train on "${data.path}": one sample after the other is passed over`,
    );
  }

  return {
    name: options.name,
    kind: "language",
    parameters: () => options.model.parameters(),
    groupOf: (name, dims) => groupOf(name, dims, options),
    numbers: { carry: 0, ...options.numbers },
    settings: options.settings,
    passed_over,
    async batch(micro_step): Promise<Batch> {
      const rows: BatchRow[] = [];
      const draws = drawsOf(micro_step, micro_bsz, begin_micro_steps);
      for (let at = 0; at < draws.length; at += data_limits.rows_at_once_max) {
        const some = draws.slice(at, at + data_limits.rows_at_once_max);
        rows.push(...await Promise.all(some.map((draw) => readRow(exampleOf(order, draw)))));
      }
      return packRows(rows, options);
    },
    ...validation && {
      validate: (evaluate) =>
        answerScores(
          evaluate,
          Math.min(validation.count, options.validation_samples),
          async (number) => packRows([await writeRow(validation.read(number), validation, options)], options),
        ),
    },
  };
}

async function writeRow(
  sample: Sample,
  data: SampleIndex,
  { features, encode, image_position, ctx_len }: VisualStageOptions,
): Promise<BatchRow> {
  const seen: Float32Array[] = [];
  for (const image of sample.images) seen.push(await features.read(data.imagePath(image)));
  const turns = writeTurns(sample, image_position);
  const whole = writeSequence(turns, encode, (image) => seen[image]!.length / features.width);
  return { cut: cutSequence(whole, ctx_len, image_position), features: seen };
}

function packRows(
  rows: readonly BatchRow[],
  { features, pad_to_ctx_len, ctx_len }: VisualStageOptions,
): Batch {
  const longest = Math.max(...rows.map(({ cut }) => cut.tokens.length));
  return packBatch(rows, features.width, pad_to_ctx_len ? ctx_len : longest);
}
