// The chat interface that many programs speak. A stream is a model: the last user message is the question, and
// "<stream>@<moment>" asks the past. The bundle is a model, too: it is asked about the pictures in the messages, and no
// stream takes part. A stream that has the bundle's name hides it.
import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import type { DescribeRequest } from "../pipeline/surface.ts";
import { moment_schema, stream_id_schema } from "../wire/mod.ts";
import { streamAnswer } from "./answer_stream.ts";
import { type Api, type AppOptions, jsonContent } from "./api.ts";
import { HttpError } from "./http_error.ts";
import { type Answer, Chunks, completion } from "./openai_answer.ts";
import { readConversation, readQuestion } from "./openai_messages.ts";
import {
  chat_schema,
  type ChatInput,
  completion_schema,
  model_list_schema,
  openai_error_schema,
  openAiError,
} from "./openai_schema.ts";
import { readMoment } from "./to_wire.ts";

export const openai_prefix = "/v1/";
export const chat_path = "/v1/chat/completions";
const tags = ["chat"];

const failure = {
  description: "A failure in the shape of that interface.",
  ...jsonContent(openai_error_schema),
};
const failures = {
  400: failure,
  401: failure,
  403: failure,
  404: failure,
  413: failure,
  422: failure,
  429: failure,
  503: failure,
};
const models_route = createRoute({
  method: "get",
  path: "/v1/models",
  tags,
  summary: "The bundle and every stream, as models",
  responses: {
    200: { description: "The bundle first, then the streams.", ...jsonContent(model_list_schema) },
    ...failures,
  },
});
const chat_route = createRoute({
  method: "post",
  path: chat_path,
  tags,
  summary:
    "Ask a stream (model: its id, or id@moment for the past), or the bundle about pictures (model: its name)",
  request: { body: { required: true, ...jsonContent(chat_schema) } },
  responses: {
    200: {
      description: "The answer, or chunks of it with `stream: true`.",
      content: { ...jsonContent(completion_schema).content, "text/event-stream": { schema: z.string() } },
    },
    ...failures,
  },
});

/** One of the two who can answer. */
type Ask = (signal: AbortSignal, onText?: (text: string) => void) => Promise<Answer & { id?: string }>;

export function addOpenAiRoutes(api: Api, options: AppOptions): void {
  const { surface, clock } = options;
  const isBundle = (model: string) =>
    model === surface.model.name && !surface.list().some(({ id }) => id === model);

  api.openapi(models_route, (c) => {
    const { name } = surface.model;
    const data = [
      ...isBundle(name) ? [{ id: name, created_ms: 0 }] : [],
      ...surface.list(),
    ].map(({ id, created_ms }) => ({
      id,
      object: "model" as const,
      created: Math.floor(created_ms / 1000),
      owned_by: "gander",
    }));
    return c.json({ object: "list" as const, data }, 200);
  });

  function askStream({ model, messages }: ChatInput): Ask {
    const { id: stream, at } = readModel(model);
    const question = readQuestion(messages);
    return async (signal, onText) => {
      const answered = await surface.ask(stream, { question, at: readMoment(at), signal, onText });
      const reason = answered.status === "deadline" ? "length" : "stop";
      return { id: answered.id, text: answered.answer, reason };
    };
  }

  function askBundle(input: ChatInput): Ask {
    const request = readRequest(input);
    return async (signal, onText) => {
      const { text, ended, positions, tokens } = await surface.describe({ ...request, signal, onText });
      const usage = {
        prompt_tokens: positions,
        completion_tokens: tokens,
        total_tokens: positions + tokens,
      };
      return { text, reason: ended === "length" || ended === "deadline" ? "length" : "stop", usage };
    };
  }

  api.openapi(chat_route, async (c) => {
    const input = c.req.valid("json");
    const { model, stream, stream_options } = input;
    const ask = isBundle(model) ? askBundle(input) : askStream(input);
    const created = Math.floor(clock.now_ms() / 1000);
    const id = `ask-${crypto.randomUUID()}`;
    if (!stream) {
      const { id: kept_id, ...answer } = await ask(c.req.raw.signal);
      return c.json(completion(kept_id ?? id, created, model, answer), 200);
    }
    const chunks = new Chunks(id, created, model, stream_options?.include_usage ?? false);
    const response = await streamAnswer(c, options, {
      ask,
      grown: (text) => chunks.grown(text),
      done: (answer) => chunks.done(answer),
      failed: (problem) => [{ data: JSON.stringify(openAiError(problem)) }],
    });
    return response as never;
  });
}

function readModel(model: string): { id: string; at: string } {
  const [, id, at = "now"] = /^([^@]*)(?:@(.*))?$/.exec(model) ?? [];
  if (!stream_id_schema.safeParse(id).success || !moment_schema.safeParse(at).success) {
    throw new HttpError("bad_request", `Cannot ask model "${model}": use "<stream>" or "<stream>@<time>".`);
  }
  return { id: id!, at };
}

/** What is left out is the bundle's. A top_p of 0, which clients send for "greedy", is the smallest there is. */
function readRequest(input: ChatInput): DescribeRequest {
  const { temperature, top_p, presence_penalty, frequency_penalty, seed, stop } = input;
  const sampler = Object.fromEntries(
    Object.entries({
      temperature,
      top_p: typeof top_p === "number" ? Math.max(top_p, 1e-6) : undefined,
      presence_penalty,
      count_penalty: frequency_penalty,
    }).filter(([, value]) => typeof value === "number"),
  );
  return {
    ...readConversation(input.messages),
    sampler,
    tokens_max: input.max_completion_tokens ?? input.max_tokens ?? undefined,
    stop_texts: typeof stop === "string" ? [stop] : stop ?? [],
    ...typeof seed === "number" && { seed: BigInt(seed) },
  };
}
