// Stage 3 on people's own videos: windows of clips become rows, alone or as segments with a carried state. Must not know files,
// towers or the trainer.
import { Dice } from "../../world/dice.ts";
import type { Batch, NamedTensor } from "../ports.ts";
import type { Evaluate, Group, Stage } from "../stage.ts";
import { packRows, partOf, type RoleWeights, type Row } from "../stream/batch.ts";
import { streamGroup } from "../stream/groups.ts";
import { next_vector, no_target, roles } from "../stream/sequence.ts";
import { type ClipWords, type CutRule, cutWindows, sequenceOf, type VideoClip, type Window } from "./clip.ts";
import { scoreVideos } from "./validation.ts";

export interface VideoStageOptions {
  clips: readonly VideoClip[];
  /** Not trained on; none: no validation. At most `validation_windows` pieces of them are scored. */
  validation?: readonly VideoClip[];
  validation_windows?: number;
  words: ClipWords;
  /** K and F. */
  vectors: number;
  width: number;
  seed: number;
  /** Rows of a batch. */
  rows: number;
  ticks_min: number;
  ticks_max: number;
  /** Segments that a state goes on through; 0: every row begins with a fresh one. */
  carried_segments: number;
  /** Positions of a carried row, at most. */
  carried_positions: number;
  weights: RoleWeights;
  weight_decay: number;
  freeze_emb: boolean;
  settings: Readonly<Record<string, string | number>>;
  numbers: Readonly<Record<string, number>>;
  parameters(): Promise<Map<string, NamedTensor>>;
}

interface Place {
  window: Window;
  /** Segments before it in one pass. */
  first: number;
}

export class VideoStage implements Stage {
  readonly name = "stream";
  readonly kind = "language";
  readonly numbers: Readonly<Record<string, number>>;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly windows: readonly Window[];
  readonly validate?: (evaluate: Evaluate) => Promise<Record<string, number>>;
  readonly #options: VideoStageOptions;
  /** Positions of a carried row. */
  readonly #positions: number;
  /** Segments of each window, and of a whole pass. */
  readonly #segments: readonly number[];
  readonly #pass: number;
  /** Orders of the passes under way, by row. */
  readonly #orders = new Map<number, { pass: number; places: Place[] }>();

  constructor(options: VideoStageOptions) {
    const { clips, words, vectors, carried_segments, carried_positions, ticks_min, ticks_max } = options;
    this.#options = options;
    const carried = carried_segments > 0;
    const rule: CutRule = carried
      ? { positions_max: carried_segments * carried_positions, ticks_max: Infinity, ticks_min: undefined }
      : { positions_max: Infinity, ticks_max, ticks_min };
    this.windows = clips.flatMap((clip) => cutWindows(clip, words, vectors, rule));
    const { validation = [], validation_windows, width } = options;
    if (validation.length > 0) {
      const scored = validation.flatMap((clip) => cutWindows(clip, words, vectors, rule)).slice(
        0,
        validation_windows,
      );
      this.validate = (evaluate) => scoreVideos(evaluate, scored, { words, vectors, width, carry: carried });
    }
    const lengths = this.windows.map((window) => sequenceOf(window, words, vectors).length);
    this.#positions = Math.min(carried_positions, lengths.reduce((most, one) => Math.max(most, one), 1));
    this.#segments = lengths.map((length) => carried ? Math.ceil(length / this.#positions) : 1);
    this.#pass = this.#segments.reduce((sum, one) => sum + one, 0);
    this.numbers = { ...options.numbers, l2wrap: 0, carry: carried ? 1 : 0 };
    const { seed, rows, weight_decay } = options;
    this.settings = {
      ...options.settings,
      ...{ seed, rows, ticks_min, ticks_max, carried_segments, carried_positions: this.#positions },
      ...{ weight_decay, freeze_emb: options.freeze_emb ? 1 : 0, segments: this.#pass },
      role_weights: JSON.stringify(options.weights),
    };
  }

  parameters(): Promise<Map<string, NamedTensor>> {
    return this.#options.parameters();
  }

  groupOf(name: string, dims: readonly number[]): Group {
    const group = streamGroup(name, dims, this.#options.weight_decay);
    return this.#options.freeze_emb && name === "emb.weight" ? { ...group, lr_scale: 0 } : group;
  }

  batch(micro_step: number): Promise<Batch> {
    const { rows, width, weights, carried_segments } = this.#options;
    const some = Array.from({ length: rows }, (_, row) => this.#rowAt(micro_step, row));
    return Promise.resolve(packRows(some, width, weights, carried_segments > 0));
  }

  /** Every row goes through all windows, in an order of its own, again and again. */
  #rowAt(micro_step: number, row: number): Row {
    const { words, vectors, width, carried_segments } = this.#options;
    const at = micro_step % this.#pass;
    const place = this.#order(Math.floor(micro_step / this.#pass), row).findLast(({ first }) => first <= at)!;
    const { window } = place, segment = at - place.first;
    const sequence = sequenceOf(window, words, vectors);
    const whole = { sequence, vectors: window.clip.ticks.read(sequence.ticks) };
    if (carried_segments === 0) return { ...whole, reset: true };
    const from = segment * this.#positions;
    const part = partOf(whole, from, from + this.#positions, width);
    return { ...fillUp(part, this.#positions, width), reset: segment === 0 || micro_step === 0 };
  }

  #order(pass: number, row: number): Place[] {
    const known = this.#orders.get(row);
    if (known?.pass === pass) return known.places;
    const dice = new Dice(this.#options.seed, `videos ${pass} ${row}`);
    const order = this.windows.map((_, index) => ({ index, draw: dice.share() }))
      .sort((a, b) => a.draw - b.draw);
    let first = 0;
    const places = order.map(({ index }) => {
      const place = { window: this.windows[index]!, first };
      first += this.#segments[index]!;
      return place;
    });
    this.#orders.set(row, { pass, places });
    return places;
  }
}

/** Carried rows have no padding: behind the end of a clip come empty vectors that teach nothing, and then a fresh state. */
function fillUp(part: Omit<Row, "reset">, positions: number, width: number): Omit<Row, "reset"> {
  const { tokens, targets, roles: own } = part.sequence;
  const missing = positions - tokens.length;
  if (missing === 0) return part;
  const vectors = new Float32Array(part.vectors.length + missing * width);
  vectors.set(part.vectors);
  const more = <T>(values: readonly T[], filler: T) => [...values, ...Array<T>(missing).fill(filler)];
  return {
    sequence: {
      tokens: more(tokens, next_vector),
      targets: more(targets, no_target),
      roles: more(own, roles.none),
      length: positions,
    },
    vectors,
  };
}
