// Tokens of one decode become text: stops at stop tokens and at the stop text, keeps what was fed.
import type { ChosenToken, EngineState, Language, TokenDecoder } from "./ports.ts";

export class Utterance {
  readonly #language: Language;
  readonly #state: EngineState;
  readonly #decoder: TokenDecoder;
  readonly #stop_texts: readonly string[];
  readonly #tokens: number[] = [];
  #text = "";
  #ended = false;

  /** `stop_texts` end it beside the language's own. */
  constructor(language: Language, state: EngineState, stop_texts: readonly string[] = []) {
    this.#language = language;
    this.#state = state;
    this.#decoder = language.decoder();
    this.#stop_texts = [...(language.stop_text ? [language.stop_text] : []), ...stop_texts];
  }

  /** Every token chosen, stop tokens too: all of them were fed to the state. */
  get tokens(): readonly number[] {
    return this.#tokens;
  }

  /** What is certain: an end that may become a stop text waits. */
  get text(): string {
    return this.#text.slice(0, this.#text.length - this.#held()).trim();
  }

  /** True once the model ended it, by a stop token or the stop text, and not the bound on its length. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Takes tokens as they come; drops the rest of the decode once the text is complete. */
  push(tokens: readonly ChosenToken[]): void {
    for (const { id } of tokens) {
      this.#tokens.push(id);
      if (this.#ended) continue;
      if (this.#language.stop_tokens.includes(id)) this.#end();
      else this.#append(this.#decoder.push(id));
    }
  }

  /** The final text. */
  finish(): string {
    if (!this.#ended) this.#append(this.#decoder.end());
    this.#ended = true;
    return this.text;
  }

  #append(text: string): void {
    this.#text += text;
    const found = this.#stop_texts.map((stop) => this.#text.indexOf(stop)).filter((at) => at >= 0);
    if (found.length === 0) return;
    this.#text = this.#text.slice(0, Math.min(...found));
    this.#end();
  }

  /** Characters at the end of the text that are the beginning of a stop text. */
  #held(): number {
    if (this.#ended) return 0;
    let held = 0;
    for (const stop of this.#stop_texts) {
      for (let count = Math.min(stop.length - 1, this.#text.length); count > held; count--) {
        if (this.#text.endsWith(stop.slice(0, count))) held = count;
      }
    }
    return held;
  }

  #end(): void {
    this.#ended = true;
    this.#state.stop();
  }
}
