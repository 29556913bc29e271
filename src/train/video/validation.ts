// How well a model narrates videos it was not trained on, from the logits of one pass over the right words: a line or an answer
// counts as right when every next word is the likeliest one. Other right wordings count as wrong. Must not know the trainer.
import type { Evaluate } from "../stage.ts";
import { packRows } from "../stream/batch.ts";
import { no_target, type Sequence } from "../stream/sequence.ts";
import { crossEntropy, likeliest, type LogitsAt, Means, speak_below } from "../stream/teacher_forced.ts";
import { type ClipWords, sequenceOf, type Window } from "./clip.ts";

/** Losses are measured apart, so that these do not matter. */
const even = { silence: 1, first_word: 1, word: 1, answer: 1, seen: 1 };

/** One window at a time, each from a fresh state. `width`: floats of a vector, `vectors`: of them in a frame. */
export async function scoreVideos(
  evaluate: Evaluate,
  windows: readonly Window[],
  { words, vectors, width, carry }: { words: ClipWords; vectors: number; width: number; carry: boolean },
): Promise<Record<string, number>> {
  const scores = new VideoScores(words.silence);
  for (const window of windows) {
    const sequence = sequenceOf(window, words, vectors);
    const row = { sequence, vectors: window.clip.ticks.read(sequence.ticks), reset: true };
    const { logits } = await evaluate(packRows([row], width, even, carry), ["logits"]);
    const vocab = logits!.dims.at(-1)!;
    scores.add(
      window,
      sequence,
      (position) => logits!.data.subarray(position * vocab, (position + 1) * vocab),
    );
  }
  return scores.summary();
}

class VideoScores {
  readonly #silence: number;
  readonly #means = new Means();
  #spoken = 0;
  #lines = 0;
  #timed = 0;

  constructor(silence: number) {
    this.#silence = silence;
  }

  add({ clip }: Window, sequence: Sequence, logitsAt: LogitsAt): void {
    this.#means.addLosses(sequence, logitsAt);
    sequence.ticks.forEach((tick, at) => {
      const position = sequence.decisions[at]!;
      const speaks = Math.exp(-crossEntropy(logitsAt(position), this.#silence)) < speak_below;
      const line = clip.lines.has(tick);
      this.#spoken += Number(speaks);
      this.#lines += Number(line);
      this.#timed += Number(speaks && line);
      if (line) this.#means.add("lines_right", this.#isRight(sequence, position, logitsAt));
    });
    for (const position of sequence.answers) {
      this.#means.add("answers_right", this.#isRight(sequence, position, logitsAt));
    }
  }

  /** timing_f1: of speaking at the right tick. */
  summary(): Record<string, number> {
    const all = this.#spoken + this.#lines;
    return { ...this.#means.summary(), timing_f1: all === 0 ? 1 : 2 * this.#timed / all };
  }

  /** From the first word on up to where nothing is predicted any more. */
  #isRight({ targets }: Sequence, from: number, logitsAt: LogitsAt): 0 | 1 {
    for (let at = from; at < targets.length && targets[at] !== no_target; at++) {
      if (likeliest(logitsAt(at), this.#silence) !== targets[at]) return 0;
    }
    return 1;
  }
}
