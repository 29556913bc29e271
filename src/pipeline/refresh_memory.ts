// The memory of policy "refresh", for models that were trained on single pictures: every tick makes a new state of the
// instruction, the summary and the newest pictures, and lets it speak. The state before it can be copied meanwhile.
// Must not know: sources, gates, caption numbers, files.
import {
  exportAs,
  type Memory,
  seedOf,
  type SnapshotNumbers,
  type TickInput,
  type TickOutcome,
} from "./memory.ts";
import type { EngineState, Language, PictureLanguage, PromptPart, TickRecord } from "./ports.ts";
import { feedPart } from "./prompt_feed.ts";
import type { Pump } from "./pump.ts";
import { type RefreshSettings, summarise, writeInstruction } from "./refresh_prompt.ts";
import { Utterance } from "./utterance.ts";

/** In the prompt of a TickRecord: picture 0 stands here; picture 1 is the next number, and so on. No token is so large. */
const picture_mark = 0xffff_0000;

export interface RefreshDeps {
  language: Language;
  pictures: PictureLanguage;
  pump: Pump;
  /** D: floats in one vector. */
  width: number;
  settings: RefreshSettings;
  /** The language that the bundle speaks unasked. */
  own_language: string;
  /** Pictures of one rebuild: the newest, and those of the ticks before it. */
  frames: number;
}

export class RefreshMemory implements Memory {
  readonly builds_aside = true;
  readonly #deps: RefreshDeps;
  /** Whole: what is copied and asked. */
  #now: EngineState;
  /** Where the next one is built. */
  #next: EngineState;
  /** The pictures in `#now`, newest last, and those in `#next`. */
  #seen: readonly Float32Array[] = [];
  #seen_next: readonly Float32Array[] = [];

  /** Takes over two states. */
  constructor(states: readonly [EngineState, EngineState], deps: RefreshDeps) {
    [this.#now, this.#next] = states;
    this.#deps = deps;
    for (const state of states) {
      // What was taught is one right answer per picture: the likeliest words, and no dice.
      state.setSampler({ ...deps.language.caption_sampler, temperature: 0 });
      state.setStops(deps.language.stop_tokens);
    }
  }

  async begin(): Promise<void> {
    this.#seen = [];
    clear(this.#now);
    this.#now.reset();
    await this.#putTokens(this.#now, this.#deps.language.preamble);
  }

  /** A fresh state, the prompt with its pictures, then words until it has said its line. */
  async tick(input: TickInput): Promise<TickOutcome> {
    const { language, pump } = this.#deps;
    const { signal } = input;
    const state = this.#next;
    clear(state);
    state.reset();
    const stop = () => state.stop();
    signal?.throwIfAborted();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const pictures = this.#choose(input.vectors);
      const prompt = this.#write(input.said(), pictures.length);
      await this.#feed(state, prompt, pictures, signal);
      const utterance = new Utterance(language, state);
      state.putDecode({ tokens_max: language.caption_tokens_max, seed: seedOf(input.stream, input.tick) });
      await pump.drain(state, (tokens) => {
        const before = utterance.text;
        utterance.push(tokens);
        if (utterance.text !== before) input.onText?.(utterance.text);
      });
      // The line is closed, so that a question finds the turn over, as the model was taught.
      const closing = this.#deps.pictures.closing(utterance.ended);
      signal?.throwIfAborted();
      await this.#putTokens(state, closing);
      signal?.throwIfAborted();
      this.#seen_next = pictures;
      return {
        text: utterance.finish(),
        tokens: Uint32Array.from([...utterance.tokens, ...closing]),
        p_speak: null,
        prompt,
        vectors: join(pictures),
      };
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  keep(): void {
    [this.#now, this.#next] = [this.#next, this.#now];
    this.#seen = this.#seen_next;
  }

  /** The newest record alone holds all that its state is made of; ticks of policy "stream" have no part in it. */
  async replay(records: readonly TickRecord[], tick: number): Promise<void> {
    const newest = records.findLast(({ prompt }) => prompt.length > 0);
    if (!newest) return;
    const { prompt, tokens, vectors } = newest;
    const count = prompt.reduce((most, word) => Math.max(most, word - picture_mark + 1), 0);
    this.#seen = split(vectors, count);
    if (newest.tick <= tick) return;
    clear(this.#now);
    this.#now.reset();
    await this.#feed(this.#now, prompt, this.#seen);
    await this.#putTokens(this.#now, [...tokens]);
  }

  fork(): EngineState {
    return this.#now.fork();
  }

  exportBlob(numbers: SnapshotNumbers = "fp32"): Uint8Array<ArrayBuffer> {
    return exportAs(this.#now, numbers);
  }

  importBlob(blob: Uint8Array): void {
    clear(this.#now);
    this.#now.importBlob(blob);
    this.#seen = [];
  }

  close(): void {
    this.#now.close();
    this.#next.close();
  }

  #choose(newest: Float32Array): Float32Array[] {
    const { frames, pictures } = this.#deps;
    const fitting = this.#seen.filter(({ length }) => length === newest.length);
    return [...fitting, newest].slice(-Math.min(frames, pictures.images_max));
  }

  #write(said: readonly string[], picture_count: number): Uint32Array {
    const { language, pictures, settings, own_language } = this.#deps;
    const summary = summarise(said, (text) => language.encode(text));
    const text = writeInstruction(settings, summary, own_language);
    const images = Array.from({ length: picture_count }, (_, index) => index);
    const wordsOf = (part: PromptPart) => "tokens" in part ? part.tokens : [picture_mark + part.image];
    return Uint32Array.from(pictures.parts([{ role: "user", text, images }]).flatMap(wordsOf));
  }

  /** Rejects with the signal's reason when that stopped the state; what was stepped until then stays. */
  async #feed(
    state: EngineState,
    prompt: Uint32Array,
    pictures: readonly Float32Array[],
    signal?: AbortSignal,
  ): Promise<void> {
    const { pump, width, pictures: { grid } } = this.#deps;
    let fed = 0;
    for (const [at, word] of prompt.entries()) {
      if (word < picture_mark) continue;
      await this.#putTokens(state, [...prompt.subarray(fed, at)]);
      signal?.throwIfAborted();
      const vectors = pictures[word - picture_mark]!;
      await feedPart(state, { vectors }, { pump, grid, width }, () => !signal?.aborted);
      signal?.throwIfAborted();
      fed = at + 1;
    }
    await this.#putTokens(state, [...prompt.subarray(fed)]);
    signal?.throwIfAborted();
  }

  async #putTokens(state: EngineState, tokens: readonly number[]): Promise<void> {
    const { pump, width, pictures: { grid } } = this.#deps;
    await feedPart(state, { tokens }, { pump, grid, width }, () => true);
  }
}

/** A tick that failed half way left work and words behind: neither belongs to what comes next. */
function clear(state: EngineState): void {
  state.stop();
  state.takeTokens();
}

function join(pictures: readonly Float32Array[]): Float32Array {
  const [first] = pictures;
  if (pictures.length === 1) return first!;
  const joined = new Float32Array(first!.length * pictures.length);
  pictures.forEach((vectors, index) => joined.set(vectors, index * vectors.length));
  return joined;
}

function split(vectors: Float32Array, count: number): Float32Array[] {
  const length = vectors.length / count;
  return Array.from({ length: count }, (_, index) => vectors.subarray(index * length, (index + 1) * length));
}
