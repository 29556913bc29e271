// An answer in the shapes of the chat interface: whole, or as chunks that add up to it. Must not know who answers.
import type { SSEMessage } from "hono/streaming";
import type { z } from "zod";
import type { completion_schema, FinishReason, Usage } from "./openai_schema.ts";

export interface Answer {
  text: string;
  reason: FinishReason;
  usage?: Usage;
}

export function completion(
  id: string,
  created: number,
  model: string,
  { text, reason, usage }: Answer,
): z.infer<typeof completion_schema> {
  const message = { role: "assistant" as const, content: text };
  const choices = [{ index: 0, message, finish_reason: reason }];
  return { id, object: "chat.completion", created, model, choices, ...usage && { usage } };
}

/** The chunks of one answer. */
export class Chunks {
  readonly #head: object;
  readonly #include_usage: boolean;
  #sent = "";

  constructor(id: string, created: number, model: string, include_usage: boolean) {
    this.#head = { id, object: "chat.completion.chunk", created, model };
    this.#include_usage = include_usage;
  }

  /** `text` is the whole so far. */
  grown(text: string): SSEMessage {
    return this.#chunk(this.#rest(text), null);
  }

  done({ text, reason, usage }: Answer): SSEMessage[] {
    const last = this.#include_usage && usage
      ? [{ data: JSON.stringify({ ...this.#head, choices: [], usage }) }]
      : [];
    return [this.grown(text), this.#chunk({}, reason), ...last, { data: "[DONE]" }];
  }

  /** What was not sent yet. Text that was taken back cannot be unsaid in this interface. */
  #rest(text: string): object {
    const more = text.startsWith(this.#sent) ? text.slice(this.#sent.length) : "";
    const role = this.#sent === "" ? { role: "assistant" } : {};
    this.#sent += more;
    return { ...role, content: more };
  }

  #chunk(delta: object, finish_reason: FinishReason | null): SSEMessage {
    return { data: JSON.stringify({ ...this.#head, choices: [{ index: 0, delta, finish_reason }] }) };
  }
}
