// The memory of policy "stream": one recurrent state that lives through every tick, what a tick feeds it, and how it
// is forked, written down and restored. Must not know: sources, gates, caption numbers, files.
import {
  exportAs,
  type Memory,
  seedOf,
  type SnapshotNumbers,
  type TickInput,
  type TickOutcome,
} from "./memory.ts";
import type { EngineState, Language, TickRecord } from "./ports.ts";
import type { Pump } from "./pump.ts";
import { Utterance } from "./utterance.ts";

const no_prompt = new Uint32Array();

export class StreamMemory implements Memory {
  readonly builds_aside = false;
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
      prompt: no_prompt,
      vectors: input.vectors,
    };
  }

  /** The tick has changed the state already. */
  keep(): void {}

  /** Feeds again what the recorded ticks fed; those of policy "refresh" never were part of this memory. */
  async replay(records: readonly TickRecord[], tick: number): Promise<void> {
    for (const record of records) {
      if (record.tick <= tick || record.prompt.length > 0) continue;
      this.#feed(record);
      if (record.tokens.length > 0) this.#state.putTokens(record.tokens);
      await this.#pump.drain(this.#state);
    }
  }

  fork(): EngineState {
    return this.#state.fork();
  }

  exportBlob(numbers: SnapshotNumbers = "fp32"): Uint8Array<ArrayBuffer> {
    return exportAs(this.#state, numbers);
  }

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
