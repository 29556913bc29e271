// One training sequence, as the running product feeds a model: per tick the vectors, a decision at the last of them, and
// the words of a line up to and including the turn end; questions with the chat template around them. Must not know
// scenes, noise or batches.
/** Values of "tokens" and "targets" in rwkv_train.h that are no ids. */
export const next_vector = -1, padding = -2, no_target = -100;

/** What a position learns; 0: nothing. */
export const roles = { none: 0, silence: 1, first_word: 2, word: 3, answer: 4, seen: 5 } as const;
export type Role = typeof roles[keyof typeof roles];

export interface Asked {
  text: string;
  answer: string;
}

/** The words of a model. */
export interface TickWords {
  silence: number;
  /** What ends a line or an answer. */
  turn_end: readonly number[];
  encode(text: string): readonly number[];
  /** A question with the template around it. */
  question(text: string): readonly number[];
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
  readonly #words: TickWords;
  readonly #tick_vectors: number;

  /** `tick_vectors`: vectors of one frame. */
  constructor(words: TickWords, tick_vectors: number) {
    this.#words = words;
    this.#tick_vectors = tick_vectors;
  }

  get length(): number {
    return this.tokens.length;
  }

  /** What is fed and teaches nothing: what a fresh state begins with, the time before a tick. */
  text(tokens: readonly number[]): void {
    for (const token of tokens) this.#put(token, no_target, roles.none);
  }

  /**
   * `line` undefined: silence, which is never fed. `seen`: a token for each vector but the last, where there is one to
   * learn: nobody reads the logits there, so they may teach what the vector shows.
   */
  tick(tick: number, line: string | undefined, seen: readonly (number | undefined)[] = []): void {
    this.ticks.push(tick);
    for (let vector = 0; vector < this.#tick_vectors - 1; vector++) {
      const word = seen[vector];
      this.#put(next_vector, word ?? no_target, word === undefined ? roles.none : roles.seen);
    }
    this.decisions.push(this.length);
    if (line === undefined) return this.#put(next_vector, this.#words.silence, roles.silence);
    const words = this.#spoken(line);
    this.#put(next_vector, words[0]!, roles.first_word);
    this.#say(words, roles.word);
  }

  question({ text, answer }: Asked): void {
    const prompt = this.#words.question(text);
    this.text(prompt.slice(0, -1));
    this.answers.push(this.length);
    const words = this.#spoken(answer);
    this.#put(prompt.at(-1)!, words[0]!, roles.answer);
    this.#say(words, roles.answer);
  }

  #spoken(text: string): number[] {
    return [...this.#words.encode(` ${text}`), ...this.#words.turn_end];
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
