// The stage that teaches a language model to narrate object slots: which clips a micro-step takes, how its rows are cut,
// how tensors are trained. Must not know the trainer, schedules, checkpoints or files.
import { slots_per_frame } from "../../vision/slots.ts";
import { training_styles } from "../../world/art.ts";
import { Dice } from "../../world/dice.ts";
import type { Batch, NamedTensor } from "../ports.ts";
import type { Evaluate, Group, Stage } from "../stage.ts";
import { default_question_weights, type QuestionWeights } from "./asking.ts";
import { packRows, partOf, type RoleWeights, type Row } from "./batch.ts";
import { streamGroup } from "./groups.ts";
import { type MadeRow, makeRow, type RowRequest, type TowerFeatures } from "./rows.ts";
import { slot_width } from "./simulate.ts";
import { Validation } from "./validation.ts";
import { validation_seed_first } from "./clip.ts";

export interface StreamStageOptions {
  seed: number;
  /** Rows of a batch. */
  rows: number;
  /** Length of a row; each batch draws one. */
  ticks_min: number;
  ticks_max: number;
  /** Rows that make one clip, its state carried from batch to batch; 0: every row is a clip of its own. */
  carried_segments: number;
  /** Positions of a carried row: the trainer takes no padding there, so lines may be cut in the middle. */
  carried_positions: number;
  errors_max: number;
  gated_share: number;
  /** Share of clips seen through `tower`. */
  real_share: number;
  tower?: TowerFeatures;
  questions: QuestionWeights;
  asked_at_end: readonly [min: number, max: number];
  /** Chance per tick, in carried rows. */
  asked_between: number;
  weights: RoleWeights;
  weight_decay: number;
  validation_rows: number;
  /** Of the trainer, by the names of rwkv_train.h: precision, what is kept for the way back. */
  numbers: Readonly<Record<string, number>>;
  /** What the model begins as. */
  parameters(): Promise<Map<string, NamedTensor>>;
}

export const stream_defaults = {
  seed: 1,
  rows: 4,
  ticks_min: 20,
  ticks_max: 60,
  carried_segments: 0,
  carried_positions: 384,
  errors_max: 0.6,
  gated_share: 0.4,
  real_share: 0,
  questions: default_question_weights,
  asked_at_end: [2, 5],
  asked_between: 0.02,
  weights: { silence: 0.4, first_word: 1, word: 1, answer: 1, seen: 0.1 },
  weight_decay: 0.05,
  validation_rows: 32,
  numbers: {},
} as const satisfies Omit<StreamStageOptions, "parameters">;

/** Seeds of runs lie this far apart, so that two runs share few clips. */
const run_stride = 49_979_687;

export class StreamStage implements Stage {
  readonly name = "stream";
  readonly kind = "language";
  readonly numbers: Readonly<Record<string, number>>;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly #options: StreamStageOptions;
  /** Clips that are being carried, by number. */
  readonly #clips = new Map<number, Promise<MadeRow>>();
  readonly #validations: ReadonlyMap<string, Validation>;

  constructor(options: StreamStageOptions) {
    const { seed, rows, ticks_min, ticks_max, carried_segments, carried_positions } = options;
    this.#options = options;
    this.numbers = { ...options.numbers, l2wrap: 0, carry: carried_segments > 0 ? 1 : 0 };
    const { errors_max, gated_share, real_share, asked_between, weight_decay } = options;
    this.settings = {
      ...{ seed, rows, ticks_min, ticks_max, carried_segments, errors_max, gated_share, real_share },
      ...{ carried_positions, asked_between, weight_decay },
      asked_at_end: options.asked_at_end.join(" to "),
      role_weights: JSON.stringify(options.weights),
      question_weights: JSON.stringify(options.questions),
    };
    const at_once = carried_segments > 0 ? 1 : rows;
    const checks = { rows: options.validation_rows, at_once, request: this.#request(0, 80) };
    const { tower } = options;
    this.#validations = new Map([
      ["", new Validation({ ...checks, tower: undefined })],
      ...(tower ? [["real_", new Validation({ ...checks, tower })] as const] : []),
    ]);
  }

  parameters(): Promise<Map<string, NamedTensor>> {
    return this.#options.parameters();
  }

  groupOf(name: string, dims: readonly number[]): Group {
    return streamGroup(name, dims, this.#options.weight_decay);
  }

  async batch(micro_step: number): Promise<Batch> {
    const { rows, carried_segments, weights } = this.#options;
    const made: Row[] = [];
    for (let row = 0; row < rows; row++) {
      made.push(
        await (carried_segments > 0 ? this.#carriedRow(micro_step, row) : this.#ownRow(micro_step, row)),
      );
    }
    return packRows(made, slot_width, weights, carried_segments > 0);
  }

  /** Prefixed "real_" where a real tower looks. */
  async validate(evaluate: Evaluate): Promise<Record<string, number>> {
    const scores: Record<string, number> = {};
    for (const [prefix, validation] of this.#validations) {
      for (const [name, value] of Object.entries(await validation.run(evaluate))) {
        scores[prefix + name] = value;
      }
    }
    return scores;
  }

  /** One length and one gate for the whole batch, so that little of it is padding. */
  async #ownRow(micro_step: number, row: number): Promise<Row> {
    const { rows, ticks_min, ticks_max, gated_share, seed, tower } = this.#options;
    const dice = new Dice(seed, `batch ${micro_step}`);
    const ticks = dice.between(ticks_min, ticks_max), gated = dice.chance(gated_share);
    const request = { ...this.#request(micro_step * rows + row, ticks), gated_share: gated ? 1 : 0 };
    return { ...await makeRow({ ...request, asked_between: 0 }, tower), reset: true };
  }

  /** Rows begin their clips at different steps, so that no batch is all beginnings. */
  async #carriedRow(micro_step: number, row: number): Promise<Row> {
    const { rows, carried_segments, carried_positions } = this.#options;
    const at = micro_step + Math.floor(row * carried_segments / rows);
    const segment = at % carried_segments, clip = Math.floor(at / carried_segments) * rows + row;
    const from = segment * carried_positions;
    const part = partOf(await this.#carriedClip(clip), from, from + carried_positions, slot_width);
    return { ...part, reset: segment === 0 || micro_step === 0 };
  }

  /** Long enough for all its segments; kept until the last. */
  #carriedClip(clip: number): Promise<MadeRow> {
    const { rows, carried_segments, carried_positions, tower } = this.#options;
    let made = this.#clips.get(clip);
    if (!made) {
      const positions = carried_segments * carried_positions;
      const ticks = Math.ceil(positions / slots_per_frame);
      const request: RowRequest = { ...this.#request(clip, ticks), asked_at_end: [0, 0] };
      made = makeRow(request, tower).then((row) =>
        row.sequence.length >= positions ? row : makeRow({ ...request, gated_share: 0 }, tower)
      );
      this.#clips.set(clip, made);
      // The clip of the same row before this one.
      this.#clips.delete(clip - rows);
    }
    return made;
  }

  #request(clip: number, ticks: number): RowRequest {
    const { seed, errors_max, real_share, gated_share, questions, asked_at_end, asked_between } =
      this.#options;
    return {
      seed: (seed * run_stride + clip) % validation_seed_first,
      ticks,
      styles: training_styles,
      ...{ errors_max, real_share, gated_share, questions, asked_at_end, asked_between },
    };
  }
}
