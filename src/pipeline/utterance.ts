// Tokens of one decode become text: stops at stop tokens and at the stop text, keeps what was fed.
import type { ChosenToken, EngineState, Language, TokenDecoder } from "./ports.ts";

export class Utterance {
  readonly #language: Language;
  readonly #state: EngineState;
  readonly #decoder: TokenDecoder;
  readonly #tokens: number[] = [];
  #text = "";
  #ended = false;

  constructor(language: Language, state: EngineState) {
    this.#language = language;
    this.#state = state;
    this.#decoder = language.decoder();
  }

  /** Every token chosen, stop tokens too: all of them were fed to the state. */
  get tokens(): readonly number[] {
    return this.#tokens;
  }

  get text(): string {
    return this.#text.trim();
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
    const stop_text = this.#language.stop_text;
    const at = stop_text ? this.#text.indexOf(stop_text) : -1;
    if (at < 0) return;
    this.#text = this.#text.slice(0, at);
    this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.#state.stop();
  }
}
