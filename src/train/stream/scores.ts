// How good a model is on validation rows, from the logits of one pass over the right words ("teacher forcing"): a line or
// an answer counts as right when, word by word, the likeliest next word is one that a right wording goes on with. It
// cannot see what the model's own mistakes would lead to; `gander eval` does. Pure; must not know trainers.
import { answers } from "../../world/answers.ts";
import { Dice } from "../../world/dice.ts";
import { tell } from "../../world/lines.ts";
import type { Sequence } from "./sequence.ts";
import type { MadeRow } from "./rows.ts";
import { crossEntropy, likeliest, type LogitsAt, Means, speak_below } from "./teacher_forced.ts";
import { worldVocabulary } from "./vocabulary.ts";

/** Draws of a wording: there are at most eight of any. */
const wording_draws = 64;

export class Scores {
  readonly #means = new Means();
  #spoken = 0;
  #lines = 0;
  #timed = 0;
  #told = 0;

  add({ clip, sequence, questions }: MadeRow, logitsAt: LogitsAt): void {
    const { silence } = worldVocabulary();
    this.#means.addLosses(sequence, logitsAt);
    sequence.ticks.forEach((tick, at) => {
      const position = sequence.decisions[at]!, { told } = clip.labels[tick]!;
      const speaks = Math.exp(-crossEntropy(logitsAt(position), silence)) < speak_below;
      const line = told.length > 0;
      this.#spoken += Number(speaks);
      this.#lines += Number(line);
      if (!line) return this.#means.add("quiet", speaks ? 0 : 1);
      const [event, count] = told;
      const right = wordings((dice) => tell({ event: event!, count }, dice));
      const worded = isRight(sequence, position, right, logitsAt, silence);
      this.#means.add("worded", worded ? 1 : 0);
      this.#means.add(`told_${event!.kind}`, speaks && worded ? 1 : 0);
      this.#timed += Number(speaks);
      this.#told += Number(speaks && worded);
    });
    questions.forEach(({ kind, facts }, at) => {
      const right = wordings((dice) => answers.tell(facts, dice));
      const score = isRight(sequence, sequence.answers[at]!, right, logitsAt, silence) ? 1 : 0;
      this.#means.add("asked", score);
      this.#means.add(`asked_${kind}`, score);
    });
  }

  /** f1: of lines at the right tick with the right words; timing_f1: of speaking at the right tick. */
  summary(): Record<string, number> {
    const f1 = (hits: number) => hits === 0 ? 0 : 2 * hits / (this.#spoken + this.#lines);
    return {
      ...this.#means.summary(),
      f1: f1(this.#told),
      timing_f1: f1(this.#timed),
    };
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
