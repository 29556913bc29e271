// How good a model is on validation rows, from the logits of one pass over the right words ("teacher forcing"): a line or
// an answer counts as right when, word by word, the likeliest next word is one that a right wording goes on with. It
// cannot see what the model's own mistakes would lead to; `gander eval` does. Pure; must not know trainers.
import { answers } from "../../world/answers.ts";
import { Dice } from "../../world/dice.ts";
import { tell } from "../../world/lines.ts";
import { type Role, roles, type Sequence } from "./sequence.ts";
import type { MadeRow } from "./rows.ts";
import { worldVocabulary } from "./vocabulary.ts";

/** P(silence) below which a tick counts as spoken. */
const speak_below = 0.5;
/** Draws of a wording: there are at most eight of any. */
const wording_draws = 64;

/** Logits at a position of a row. */
export type LogitsAt = (position: number) => Float32Array;

const role_names: Record<Role, string> = {
  [roles.none]: "",
  [roles.silence]: "silence",
  [roles.first_word]: "first_word",
  [roles.word]: "word",
  [roles.answer]: "answer",
  [roles.seen]: "seen",
};

export class Scores {
  readonly #sums = new Map<string, { sum: number; count: number }>();
  #spoken = 0;
  #lines = 0;
  #timed = 0;
  #told = 0;

  add({ clip, sequence, questions }: MadeRow, logitsAt: LogitsAt): void {
    const { silence } = worldVocabulary();
    for (const [position, role] of sequence.roles.entries()) {
      if (role === roles.none) continue;
      this.#note(`${role_names[role]}_loss`, crossEntropy(logitsAt(position), sequence.targets[position]!));
    }
    sequence.ticks.forEach((tick, at) => {
      const position = sequence.decisions[at]!, { told } = clip.labels[tick]!;
      const speaks = Math.exp(-crossEntropy(logitsAt(position), silence)) < speak_below;
      const line = told.length > 0;
      this.#spoken += Number(speaks);
      this.#lines += Number(line);
      if (!line) return this.#note("quiet", speaks ? 0 : 1);
      const [event, count] = told;
      const right = wordings((dice) => tell({ event: event!, count }, dice));
      const worded = isRight(sequence, position, right, logitsAt, silence);
      this.#note("worded", worded ? 1 : 0);
      this.#note(`told_${event!.kind}`, speaks && worded ? 1 : 0);
      this.#timed += Number(speaks);
      this.#told += Number(speaks && worded);
    });
    questions.forEach(({ kind, facts }, at) => {
      const right = wordings((dice) => answers.tell(facts, dice));
      const score = isRight(sequence, sequence.answers[at]!, right, logitsAt, silence) ? 1 : 0;
      this.#note("asked", score);
      this.#note(`asked_${kind}`, score);
    });
  }

  /** f1: of lines at the right tick with the right words; timing_f1: of speaking at the right tick. */
  summary(): Record<string, number> {
    const means = [...this.#sums].map(([name, { sum, count }]) => [name, sum / count] as const);
    const f1 = (hits: number) => hits === 0 ? 0 : 2 * hits / (this.#spoken + this.#lines);
    return {
      ...Object.fromEntries(means.sort(([a], [b]) => a < b ? -1 : 1)),
      f1: f1(this.#told),
      timing_f1: f1(this.#timed),
    };
  }

  #note(name: string, value: number): void {
    const entry = this.#sums.get(name) ?? { sum: 0, count: 0 };
    entry.sum += value;
    entry.count++;
    this.#sums.set(name, entry);
  }
}

/** Token sequences, turn end included, of everything that says the same. */
function wordings(say: (dice: Dice) => string): number[][] {
  const { encode, turn_end } = worldVocabulary();
  const texts = Array.from({ length: wording_draws }, (_, draw) => say(new Dice(draw, "wordings")));
  return [...new Set(texts)].map((text) => [...encode(` ${text}`), turn_end]);
}

function isRight(
  { targets }: Sequence,
  from: number,
  right: readonly (readonly number[])[],
  logitsAt: LogitsAt,
  silence: number,
): boolean {
  const { turn_end } = worldVocabulary();
  let possible = right;
  for (let at = 0;; at++) {
    const word = likeliest(logitsAt(from + at), silence);
    if (!possible.some((one) => one[at] === word)) return false;
    const target = targets[from + at]!;
    possible = possible.filter((one) => one[at] === target);
    if (target === turn_end) return true;
  }
}

/** As the product: once it speaks, silence is no choice. */
function likeliest(logits: Float32Array, never: number): number {
  let best = never === 0 ? 1 : 0;
  for (let id = 0; id < logits.length; id++) if (id !== never && logits[id]! > logits[best]!) best = id;
  return best;
}

function crossEntropy(logits: Float32Array, target: number): number {
  let max = -Infinity, sum = 0;
  for (const logit of logits) max = Math.max(max, logit);
  for (const logit of logits) sum += Math.exp(logit - max);
  return max + Math.log(sum) - logits[target]!;
}
