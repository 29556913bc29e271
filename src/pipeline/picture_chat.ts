// A conversation about pictures, or about nothing but words: who may ask, for how long, and on which state. No stream
// takes part, and nothing is kept afterwards. Must not know: files, HTTP, how a picture is decoded.
import type { Clock } from "../clock.ts";
import { GanderError, RequestError } from "../errors.ts";
import { ChatAnswer } from "./chat_answer.ts";
import { limits } from "./limits.ts";
import type { Engine, EngineState, Language, PictureDecoder, PictureLanguage, Vision } from "./ports.ts";
import type { Pump } from "./pump.ts";
import { type Seats, Turnstile } from "./seats.ts";
import type { Described, DescribeRequest } from "./surface.ts";

/**
 * A zero state for a chat beside streams: forks share one chunk of positions in each run of the engine, so that chats slow
 * each other and the questions, and not the narration. Needs room for two states at this moment. Throws NativeError full.
 */
export function forkBlank(engine: Pick<Engine, "open">): EngineState {
  using blank = engine.open();
  return blank.fork();
}

export interface PictureChatDeps {
  engine: Pick<Engine, "info">;
  /** A zero state for one chat: a fork where there are streams, and where there are none one that has each run for itself. */
  openState: () => EngineState;
  pump: Pump;
  /** Undefined in a text-only bundle. */
  vision: Pick<Vision, "encodePicture"> | undefined;
  language: Language;
  pictures: PictureLanguage;
  decoder: PictureDecoder;
  clock: Clock;
  /** Shared with the questions about streams. */
  seats: Seats;
}

export class PictureChat {
  readonly #deps: PictureChatDeps;
  readonly #turnstile = new Turnstile(limits.pictures_decoding_max);
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(deps: PictureChatDeps) {
    this.#deps = deps;
  }

  /**
   * Throws RequestError model_no_images | request_invalid | question_invalid and CapacityError questions_full; a picture
   * that cannot be read rejects with the decoder's error. Cut off by the signal or the deadline it resolves.
   */
  async describe(request: DescribeRequest): Promise<Described> {
    const running = this.#answer(request);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Cancels what is being answered; resolves when every state was given back. A picture in the tower is not waited for. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running);
  }

  async #answer(request: DescribeRequest): Promise<Described> {
    const { pictures, engine, openState, seats, clock } = this.#deps;
    if (this.#closing.signal.aborted) {
      throw new GanderError("not_ready", "Cannot answer: closing down", "backoff");
    }
    checkSize(request);
    const parts = pictures.parts(request.turns);
    if (request.official_padding && !pictures.official_padding) {
      throw new RequestError("request_invalid", "Cannot pad as the official evaluator: this model has none");
    }
    const leave = seats.take("Cannot answer");
    const done = new AbortController();
    try {
      using state = openState();
      const answer = new ChatAnswer(state, request, {
        ...this.#deps,
        width: engine.info.width,
        turnstile: this.#turnstile,
      });
      for (const signal of [this.#closing.signal, request.signal]) {
        signal?.addEventListener("abort", () => answer.cut("cancelled"), { once: true, signal: done.signal });
        if (signal?.aborted) answer.cut("cancelled");
      }
      const deadline_ms = request.deadline_ms ?? limits.picture_deadline_ms;
      if (Number.isFinite(deadline_ms)) {
        void clock.sleep(deadline_ms, done.signal).then(() => done.signal.aborted || answer.cut("deadline"));
      }
      return await answer.run(parts);
    } finally {
      done.abort();
      leave();
    }
  }
}

/** Throws RequestError question_invalid. */
function checkSize({ turns }: DescribeRequest): void {
  const chars = turns.reduce((sum, { text }) => sum + text.length, 0);
  const { chat_chars_max } = limits;
  if (chars <= chat_chars_max) return;
  throw new RequestError(
    "question_invalid",
    `Cannot ask: the conversation has ${chars} characters, ${chat_chars_max} are allowed`,
  );
}
