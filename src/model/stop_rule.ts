// When an utterance ends and what its text is: a stop token, or the stop text wherever it appears in decoded
// text. Must not know vocabularies or engines.

/** End of document in every RWKV vocabulary: always a stop. */
export const end_of_document = 0;

export interface StopRuleSettings {
  tokens: readonly number[];
  /** Never empty. */
  text: string | undefined;
}

interface Decoder {
  push(token: number): string;
  end(): string;
}

/** One utterance. Text that could be the beginning of the stop text waits until that is decided. */
export class StopRule {
  readonly #stops: ReadonlySet<number>;
  readonly #stop_text: string | undefined;
  readonly #decoder: Decoder;
  #waiting = "";
  #stopped = false;

  constructor(settings: StopRuleSettings, decoder: Decoder) {
    this.#stops = new Set([end_of_document, ...settings.tokens]);
    this.#stop_text = settings.text;
    this.#decoder = decoder;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** New text to show, without the stop text. After a stop every push answers nothing. */
  push(token: number): string {
    if (this.#stopped) return "";
    if (this.#stops.has(token)) return this.end();
    return this.#cut(this.#waiting + this.#decoder.push(token), false);
  }

  /** The utterance ended for another reason (tokens_max, deadline): gives out what waited. */
  end(): string {
    if (this.#stopped) return "";
    const text = this.#cut(this.#waiting + this.#decoder.end(), true);
    this.#stopped = true;
    return text;
  }

  #cut(text: string, last: boolean): string {
    if (this.#stop_text === undefined) return text;
    const at = text.indexOf(this.#stop_text);
    if (at >= 0) {
      this.#stopped = true;
      this.#waiting = "";
      return text.slice(0, at);
    }
    const held = last ? 0 : overlap(text, this.#stop_text);
    this.#waiting = text.slice(text.length - held);
    return text.slice(0, text.length - held);
  }
}

/** Characters at the end of `text` that are the beginning of `stop_text`, less than the whole of it. */
function overlap(text: string, stop_text: string): number {
  for (let count = Math.min(text.length, stop_text.length - 1); count > 0; count--) {
    if (text.endsWith(stop_text.slice(0, count))) return count;
  }
  return 0;
}
