// From a clip's number to a row of training: which scene, which part of it, how good the tower is, and what is asked.
// A row is a pure function of its request. Must not know batches, trainers or files.
import { Dice } from "../../world/dice.ts";
import type { WorldQuestion } from "../../world/questions.ts";
import type { Script } from "../../world/script.ts";
import { slots_per_frame } from "../../vision/slots.ts";
import { askAt, type QuestionWeights } from "./asking.ts";
import { type Clip, makeClip, rate_hz } from "./clip.ts";
import { Sequence } from "./sequence.ts";
import { simulateTower, tick_floats } from "./simulate.ts";
import { shownWords } from "./shown_words.ts";
import { fedTicks } from "./stillness.ts";
import { worldWords } from "./vocabulary.ts";

/** Frame sides: a picture that trembles more is never still. */
const shake_opens_gate = 0.003;

/** What a real tower makes of a scene: tick_floats per tick, `ticks` of them from time 0 on. */
export type TowerFeatures = (script: Script, ticks: number) => Promise<Float32Array>;

export interface RowRequest {
  seed: number;
  ticks: number;
  styles: readonly string[];
  /** Largest amount of the simulated tower's errors. */
  errors_max: number;
  /** Share of clips seen by the real tower, and of clips fed through the still-frame gate. */
  real_share: number;
  gated_share: number;
  questions: QuestionWeights;
  /** Asked at the end, where the narration never hears of them. */
  asked_at_end: readonly [min: number, max: number];
  /** Chance per tick of one in between: what follows it has heard it. For carried rows, which have no end. */
  asked_between: number;
}

export interface MadeRow {
  clip: Clip;
  sequence: Sequence;
  /** In the order of the sequence's answers. */
  questions: WorldQuestion[];
  vectors: Float32Array<ArrayBuffer>;
}

export async function makeRow(request: RowRequest, tower: TowerFeatures | undefined): Promise<MadeRow> {
  const { seed, ticks } = request;
  const clip = makeClip(seed, ticks, request.styles);
  const { features, fed } = await lookAt(clip, request, tower);
  const dice = new Dice(seed, "questions");
  const sequence = new Sequence(worldWords(), slots_per_frame);
  const questions: WorldQuestion[] = [];
  const askSome = (tick: number, count: number) => {
    for (const question of askAt(clip, clip.labels[tick]!.t_s, count, request.questions, dice)) {
      questions.push(question);
      sequence.question(question);
    }
  };
  for (let tick = 0; tick < ticks; tick++) {
    if (fed[tick]) sequence.tick(tick, clip.labels[tick]!.line, shownWords(slotsAt(features, tick), dice));
    if (dice.chance(request.asked_between)) askSome(tick, 1);
  }
  askSome(ticks - 1, dice.between(...request.asked_at_end));
  const vectors = new Float32Array(sequence.ticks.length * tick_floats);
  sequence.ticks.forEach((tick, at) => vectors.set(slotsAt(features, tick), at * tick_floats));
  return { clip, sequence, questions, vectors };
}

/** tick_floats per tick, and which ticks are fed. */
async function lookAt(clip: Clip, request: RowRequest, tower: TowerFeatures | undefined) {
  const { script, sights, labels } = clip;
  const dice = new Dice(request.seed, "tower");
  const real = dice.chance(request.real_share), amount = request.errors_max * dice.real(0.3, 1);
  const gated = dice.chance(request.gated_share) && script.nuisance.shake < shake_opens_gate;
  const features = real && tower
    ? await tower(script, request.ticks)
    : simulateTower(sights, script.nuisance, amount, dice);
  const fed = gated
    ? fedTicks(sights, rate_hz, (tick) => labels[tick]!.line !== undefined)
    : sights.map(() => true);
  return { features, fed };
}

function slotsAt(features: Float32Array, tick: number): Float32Array {
  return features.subarray(tick * tick_floats, (tick + 1) * tick_floats);
}
