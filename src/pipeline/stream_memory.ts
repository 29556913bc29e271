// One stream's memory: the recurrent state, what a tick feeds it, and how it is forked, written down and restored.
// Must not know: sources, gates, caption numbers, files.
import type { EngineState, Language, TickRecord } from "./ports.ts";
import type { Pump } from "./pump.ts";
import { Utterance } from "./utterance.ts";

export interface TickInput {
  /** Seeds the sampler together with the tick number: a replayed tick says the same words. */
  stream: string;
  tick: number;
  t_media_ms: number;
  /** K x D floats. */
  vectors: Float32Array;
  speak_threshold: number;
  /** Text so far, whenever it grows. */
  onText?: (text: string) => void;
}

export interface TickOutcome {
  /** Empty when the tick was silent. */
  text: string;
  tokens: Uint32Array;
  p_speak: number;
}

/** FNV-1a, 64 bit: spreads a stream's name and tick over the sampler's seeds. */
export function seedOf(stream: string, tick: number): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(`${stream}#${tick}`)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}

export class Memory {
  readonly #state: EngineState;
  readonly #language: Language;
  readonly #pump: Pump;

  constructor(state: EngineState, language: Language, pump: Pump) {
    this.#state = state;
    this.#language = language;
    this.#pump = pump;
    state.setSampler(language.caption_sampler);
    state.setStops(language.stop_tokens);
  }

  /** A fresh memory: zero state and the bundle's preamble. */
  async begin(): Promise<void> {
    this.#clear();
    this.#state.reset();
    if (this.#language.preamble.length === 0) return;
    this.#state.putTokens(this.#language.preamble);
    await this.#pump.drain(this.#state);
  }

  /** Time mark, vectors, one decision, at most N words. */
  async tick(input: TickInput): Promise<TickOutcome> {
    const language = this.#language;
    const utterance = new Utterance(language, this.#state);
    this.#feed(input);
    this.#state.putDecode({
      tokens_max: language.caption_tokens_max,
      seed: seedOf(input.stream, input.tick),
      silence: { token: language.silence_token, threshold: input.speak_threshold },
    });
    await this.#pump.drain(this.#state, (tokens) => {
      const before = utterance.text;
      utterance.push(tokens);
      if (utterance.text !== before) input.onText?.(utterance.text);
    });
    return {
      text: utterance.finish(),
      tokens: Uint32Array.from(utterance.tokens),
      p_speak: this.#state.readDecision().p_speak,
    };
  }

  /** Feeds again what a recorded tick fed. The state is bit for bit what it was. */
  async replay(record: TickRecord): Promise<void> {
    this.#feed(record);
    if (record.tokens.length > 0) this.#state.putTokens(record.tokens);
    await this.#pump.drain(this.#state);
  }

  /** Only at a tick edge. */
  fork(): EngineState {
    return this.#state.fork();
  }

  exportBlob(): Uint8Array<ArrayBuffer> {
    return this.#state.exportBlob();
  }

  /** Throws when the blob is damaged or another model's; the state is unchanged then, but for work it had left. */
  importBlob(blob: Uint8Array): void {
    this.#clear();
    this.#state.importBlob(blob);
  }

  close(): void {
    this.#state.close();
  }

  /** A tick that failed half way left work and words behind: neither belongs to what comes next. */
  #clear(): void {
    this.#state.stop();
    this.#state.takeTokens();
  }

  #feed(input: { t_media_ms: number; vectors: Float32Array }): void {
    const mark = this.#language.tickMark(input.t_media_ms);
    if (mark.length > 0) this.#state.putTokens(mark);
    this.#state.putVectors(input.vectors);
  }
}
