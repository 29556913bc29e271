// Questions of one viewer that are being answered: a few at once, each can be taken back, none outlives the viewer.
// Must not know sockets.
import { CapacityError, RequestError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Surface } from "../pipeline/surface.ts";
import type { ClientMessage, ServerMessage } from "../wire/mod.ts";
import { describeError } from "./error_response.ts";
import { http_limits } from "./limits.ts";
import { answerMessage, readMoment } from "./to_wire.ts";

export interface ViewerQuestionsOptions {
  surface: Surface;
  log: Log;
  send(message: ServerMessage): void;
  /** For text so far: the next one makes up for a lost one. */
  offer(message: ServerMessage): void;
}

export class ViewerQuestions {
  readonly #options: ViewerQuestionsOptions;
  readonly #active = new Map<string, AbortController>();

  constructor(options: ViewerQuestionsOptions) {
    this.#options = options;
  }

  /** Never throws: what goes wrong is an answer.failed with the client's id. */
  ask(message: Extract<ClientMessage, { type: "ask" }>): void {
    const { id } = message;
    if (this.#active.has(id)) {
      return this.#fail(
        id,
        new RequestError("request_invalid", `Cannot ask "${id}": that id is being answered.`),
      );
    }
    if (this.#active.size >= http_limits.viewer_questions_max) {
      const text =
        `Cannot ask "${id}": ${http_limits.viewer_questions_max} of your questions are being answered.`;
      return this.#fail(id, new CapacityError("questions_full", text));
    }
    const cancel = new AbortController();
    this.#active.set(id, cancel);
    void this.#answer(message, cancel.signal).finally(() => this.#active.delete(id));
  }

  /** Unknown ids are fine: the answer may have crossed the cancel. */
  cancel(id: string): void {
    this.#active.get(id)?.abort();
  }

  cancelAll(): void {
    for (const cancel of this.#active.values()) cancel.abort();
  }

  async #answer(message: Extract<ClientMessage, { type: "ask" }>, signal: AbortSignal): Promise<void> {
    const { id, stream, question, at, deadline_ms } = message;
    const { surface, send, offer } = this.#options;
    try {
      const answered = await surface.ask(stream, {
        question,
        at: readMoment(at),
        deadline_ms,
        signal,
        onText: (text) => offer({ type: "answer.delta", id, text }),
      });
      send({ type: "answer.done", id, answer: answerMessage(answered) });
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #fail(id: string, error: unknown): void {
    const problem = describeError(error);
    if (problem.status >= 500) this.#options.log.error("ask.failed", { error });
    this.#options.send({ type: "answer.failed", id, error: problem.error });
  }
}
