// One training sequence, as the running product feeds a model: per tick the vectors, a decision at the last of them, and
// the words of a line up to and including the turn end; questions with the chat template around them. Must not know
// scenes, noise or batches.
import { cleanQuestion, fillQuestion } from "../../model/prompt.ts";
import { slots_per_frame } from "../../vision/slots.ts";
import { question_template, type WorldVocabulary } from "./vocabulary.ts";

/** Values of "tokens" and "targets" in rwkv_train.h that are no ids. */
export const next_vector = -1, padding = -2, no_target = -100;

/** What a position learns; 0: nothing. */
export const roles = { none: 0, silence: 1, first_word: 2, word: 3, answer: 4, seen: 5 } as const;
export type Role = typeof roles[keyof typeof roles];

export interface Asked {
  text: string;
  answer: string;
}

export class Sequence {
  readonly tokens: number[] = [];
  readonly targets: number[] = [];
  readonly roles: Role[] = [];
  /** Ticks whose vectors the sequence takes, in order. */
  readonly ticks: number[] = [];
  /** Where the decisions are, beside `ticks`. */
  readonly decisions: number[] = [];
  /** Where the answers begin: the position that predicts the first of their tokens. */
  readonly answers: number[] = [];
  readonly #vocabulary: WorldVocabulary;

  constructor(vocabulary: WorldVocabulary) {
    this.#vocabulary = vocabulary;
  }

  get length(): number {
    return this.tokens.length;
  }

  /**
   * `line` undefined: silence, which is never fed. `seen`: a token for each vector but the last, where there is one to
   * learn: nobody reads the logits there, so they may teach what the vector shows.
   */
  tick(tick: number, line: string | undefined, seen: readonly (number | undefined)[] = []): void {
    this.ticks.push(tick);
    for (let vector = 0; vector < slots_per_frame - 1; vector++) {
      const word = seen[vector];
      this.#put(next_vector, word ?? no_target, word === undefined ? roles.none : roles.seen);
    }
    this.decisions.push(this.length);
    if (line === undefined) return this.#put(next_vector, this.#vocabulary.silence, roles.silence);
    const words = this.#spoken(line);
    this.#put(next_vector, words[0]!, roles.first_word);
    this.#say(words, roles.word);
  }

  question({ text, answer }: Asked): void {
    const { encode } = this.#vocabulary;
    const prompt = encode(fillQuestion(question_template, cleanQuestion(text, "\n\n")));
    for (const token of prompt.slice(0, -1)) this.#put(token, no_target, roles.none);
    this.answers.push(this.length);
    const words = this.#spoken(answer);
    this.#put(prompt.at(-1)!, words[0]!, roles.answer);
    this.#say(words, roles.answer);
  }

  #spoken(text: string): number[] {
    return [...this.#vocabulary.encode(` ${text}`), this.#vocabulary.turn_end];
  }

  /** Feeds the words; each position predicts the next, and the turn end predicts nothing. */
  #say(words: readonly number[], role: Role): void {
    words.forEach((word, at) => {
      const next = words[at + 1];
      this.#put(word, next ?? no_target, next === undefined ? roles.none : role);
    });
  }

  #put(token: number, target: number, role: Role): void {
    this.tokens.push(token);
    this.targets.push(target);
    this.roles.push(role);
  }
}
