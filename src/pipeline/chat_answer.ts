// One answer of a picture chat: pictures are encoded, everything is fed to the state, and words are taken until the model
// ends, the bound is met, or somebody cuts it off. Owns what is under way; must not know who may ask, or for how long.
import { limits } from "./limits.ts";
import { seedOf } from "./memory.ts";
import type {
  ChosenToken,
  EngineState,
  Language,
  PictureDecoder,
  PictureLanguage,
  PromptPart,
  Vision,
} from "./ports.ts";
import { type FedPart, type FeedDeps, feedPadded, feedPart, positionsOf } from "./prompt_feed.ts";
import type { Pump } from "./pump.ts";
import type { Turnstile } from "./seats.ts";
import type { Described, DescribedPicture, DescribeRequest } from "./surface.ts";
import { Utterance } from "./utterance.ts";

export interface ChatAnswerDeps {
  pump: Pump;
  /** D: floats in one vector. */
  width: number;
  vision: Pick<Vision, "encodePicture"> | undefined;
  language: Language;
  pictures: PictureLanguage;
  decoder: PictureDecoder;
  /** Pixels are large: few pictures are decoded and encoded at once. */
  turnstile: Turnstile;
}

export class ChatAnswer {
  readonly #deps: ChatAnswerDeps;
  readonly #request: DescribeRequest;
  readonly #state: EngineState;
  readonly #feed: FeedDeps;
  readonly #utterance: Utterance;
  readonly #tokens_max: number;
  readonly #seen = new Map<number, DescribedPicture>();
  readonly #stop = new AbortController();
  #cut: "deadline" | "cancelled" | undefined;
  #positions = 0;

  /** The state is fresh and stays the caller's. */
  constructor(state: EngineState, request: DescribeRequest, deps: ChatAnswerDeps) {
    this.#deps = deps;
    this.#request = request;
    this.#state = state;
    this.#feed = { pump: deps.pump, grid: deps.pictures.grid, width: deps.width };
    this.#utterance = new Utterance(deps.language, state, request.stop_texts);
    this.#tokens_max = Math.min(
      request.tokens_max ?? deps.language.answer_tokens_max,
      limits.picture_tokens_max,
    );
  }

  /** Ends it at once with what was said so far; a tower that has its picture goes on alone. The first reason counts. */
  cut(why: "deadline" | "cancelled"): void {
    if (this.#cut) return;
    this.#cut = why;
    this.#stop.abort();
    this.#state.stop();
  }

  async run(parts: readonly PromptPart[]): Promise<Described> {
    try {
      if (this.#request.official_padding) await this.#runPadded(parts);
      else await this.#run(parts);
    } catch (error) {
      // What was cut off half way, a picture being decoded for instance, has not failed.
      if (!this.#cut) throw error;
    }
    const utterance = this.#utterance;
    const ended = utterance.ended ? "stop" : this.#cut ?? "length";
    const pictures = [...this.#seen].sort(([a], [b]) => a - b).map(([, picture]) => picture);
    return {
      text: utterance.finish(),
      ended,
      pictures,
      positions: this.#positions,
      tokens: utterance.tokens.length,
    };
  }

  async #run(parts: readonly PromptPart[]): Promise<void> {
    const { language } = this.#deps;
    for (const part of parts) {
      // One picture at a time: its pixels and vectors are gone before the next.
      const fed = await this.#prepare(part);
      if (!this.#goesOn()) return;
      await feedPart(this.#state, fed, this.#feed, this.#goesOn);
      if (!this.#goesOn()) return;
    }
    this.#state.setSampler({ ...language.answer_sampler, ...this.#request.sampler });
    this.#state.setStops(language.stop_tokens);
    this.#state.putDecode({ tokens_max: this.#tokens_max, seed: this.#request.seed ?? this.#seed() });
    await this.#deps.pump.drain(this.#state, this.#hear);
  }

  /** Arg-max of the whole sequence, fed anew for every word. */
  async #runPadded(parts: readonly PromptPart[]): Promise<void> {
    const fed: FedPart[] = [];
    for (const part of parts) {
      fed.push(await this.#prepare(part));
      if (!this.#goesOn()) return;
    }
    this.#state.setSampler({ temperature: 0, top_p: 1, presence_penalty: 0, count_penalty: 0 });
    this.#state.setStops([]);
    const utterance = this.#utterance, padding = this.#deps.pictures.official_padding!;
    while (this.#goesOn() && !utterance.ended && utterance.tokens.length < this.#tokens_max) {
      await feedPadded(this.#state, fed, utterance.tokens, padding, this.#feed, this.#goesOn);
      if (!this.#goesOn()) return;
      this.#state.putDecode({ tokens_max: 1, seed: 0n });
      await this.#deps.pump.drain(this.#state, this.#hear);
    }
  }

  readonly #goesOn = (): boolean => this.#cut === undefined;

  readonly #hear = (tokens: ChosenToken[]): void => {
    const before = this.#utterance.text;
    this.#utterance.push(tokens);
    if (this.#utterance.text !== before) this.#request.onText?.(this.#utterance.text);
  };

  /** The same question gets the same answer. */
  #seed(): bigint {
    return seedOf(this.#request.turns.at(-1)!.text, 0);
  }

  async #prepare(part: PromptPart): Promise<FedPart> {
    const fed = "image" in part ? { vectors: await this.#see(part.image) } : part;
    this.#positions += positionsOf(fed, this.#deps.width);
    return fed;
  }

  async #see(image: number): Promise<Float32Array> {
    const { decoder, vision, turnstile, width } = this.#deps;
    const { bytes, name } = this.#request.pictures[image]!;
    const { signal } = this.#stop;
    const { vectors, ...size } = await turnstile.pass(async () => {
      signal.throwIfAborted();
      const picture = await decoder.decode(bytes, { name, signal });
      signal.throwIfAborted();
      const { width_px, height_px } = picture;
      return { vectors: await vision!.encodePicture(picture, { patient: true }), width_px, height_px };
    }, signal);
    this.#seen.set(image, { name, ...size, vectors: vectors.length / width });
    return vectors;
  }
}
