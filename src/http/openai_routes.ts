// The chat interface that many programs speak: a stream is a model, the last user message is the question, and
// "<stream>@<moment>" asks the past. Only what is listed in the schema is understood; pictures are not.
import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import type { Answered } from "../pipeline/surface.ts";
import { ask_schema, moment_schema, stream_id_schema, wire_limits } from "../wire/mod.ts";
import { streamAnswer } from "./answer_stream.ts";
import { type Api, type AppOptions, jsonContent } from "./api.ts";
import type { Problem } from "./error_response.ts";
import { HttpError } from "./http_error.ts";
import { http_limits } from "./limits.ts";
import { readMoment } from "./to_wire.ts";

export const openai_prefix = "/v1/";
const tags = ["chat"];

const text_part = z.object({ type: z.literal("text"), text: z.string() });
const message_schema = z.object({
  role: z.enum(["system", "developer", "user", "assistant", "tool"]),
  /** Only the last user message is read; parts of other kinds in it are refused. */
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string() })), z.null()]).optional(),
});
// Settings of samplers and tools are accepted and have no effect: clients send them by default.
const chat_schema = z.looseObject({
  model: z.string().min(1).max(wire_limits.name_chars_max),
  messages: z.array(message_schema).min(1).max(http_limits.chat_messages_max),
  stream: z.boolean().nullish(),
});
const model_schema = z.object({
  id: z.string(),
  object: z.literal("model"),
  created: z.number().int(),
  owned_by: z.string(),
});
const completion_schema = z.object({
  id: z.string(),
  object: z.literal("chat.completion"),
  created: z.number().int(),
  model: z.string(),
  choices: z.array(z.object({
    index: z.number().int(),
    message: z.object({ role: z.literal("assistant"), content: z.string() }),
    finish_reason: z.enum(["stop", "length"]),
  })),
});
const openai_error_schema = z.object({
  error: z.object({ message: z.string(), type: z.string(), param: z.null(), code: z.string() }),
});

const failure = {
  description: "A failure in the shape of that interface.",
  ...jsonContent(openai_error_schema),
};
const failures = { 400: failure, 401: failure, 403: failure, 404: failure, 429: failure, 503: failure };
const models_route = createRoute({
  method: "get",
  path: "/v1/models",
  tags,
  summary: "Streams, as models",
  responses: {
    200: {
      description: "Every stream.",
      ...jsonContent(z.object({ object: z.literal("list"), data: z.array(model_schema) })),
    },
    ...failures,
  },
});
const chat_route = createRoute({
  method: "post",
  path: "/v1/chat/completions",
  tags,
  summary: "Ask a stream; model is its id, or id@moment for the past",
  request: { body: { required: true, ...jsonContent(chat_schema) } },
  responses: {
    200: {
      description: "The answer, or chunks of it with `stream: true`.",
      content: { ...jsonContent(completion_schema).content, "text/event-stream": { schema: z.string() } },
    },
    ...failures,
  },
});

/** The body of a failure under /v1/. Clients act on status and type; the sentence is ours. */
export function openAiError(
  { status, error: { code, message } }: Problem,
): z.infer<typeof openai_error_schema> {
  const type = status === 429 ? "rate_limit_error" : status >= 500 ? "server_error" : "invalid_request_error";
  return {
    error: { message, type, param: null, code: code === "stream_unknown" ? "model_not_found" : code },
  };
}

function readModel(model: string): { id: string; at: string } {
  const [, id, at = "now"] = /^([^@]*)(?:@(.*))?$/.exec(model) ?? [];
  if (!stream_id_schema.safeParse(id).success || !moment_schema.safeParse(at).success) {
    throw new HttpError("bad_request", `Cannot ask model "${model}": use "<stream>" or "<stream>@<time>".`);
  }
  return { id: id!, at };
}

function readQuestion(messages: z.infer<typeof message_schema>[]): string {
  const content = messages.findLast(({ role }) => role === "user")?.content;
  const parts = typeof content === "string" ? [{ type: "text", text: content }] : content ?? [];
  const texts = parts.map((part) => {
    const text = text_part.safeParse(part);
    if (text.success) return text.data.text;
    throw new HttpError(
      "bad_request",
      `Cannot read a part of type "${part.type}": the stream is what is seen.`,
    );
  });
  const question = ask_schema.shape.question.safeParse(texts.join("\n"));
  if (question.success) return question.data;
  const { question_chars_max } = wire_limits;
  throw new HttpError(
    "bad_request",
    `Cannot ask: the last user message must have 1 to ${question_chars_max} characters.`,
  );
}

export function addOpenAiRoutes(api: Api, options: AppOptions): void {
  const { surface, clock } = options;

  api.openapi(models_route, (c) => {
    const data = surface.list().map(({ id, created_ms }) => ({
      id,
      object: "model" as const,
      created: Math.floor(created_ms / 1000),
      owned_by: "gander",
    }));
    return c.json({ object: "list" as const, data }, 200);
  });

  api.openapi(chat_route, async (c) => {
    const { model, messages, stream } = c.req.valid("json");
    const { id: stream_id, at } = readModel(model);
    const question = readQuestion(messages);
    const ask = (signal: AbortSignal, onText?: (text: string) => void) =>
      surface.ask(stream_id, { question, at: readMoment(at), signal, onText });
    const created = Math.floor(clock.now_ms() / 1000);
    const reasonOf = ({ status }: Answered) => status === "deadline" ? "length" as const : "stop" as const;
    if (!stream) {
      const answered = await ask(c.req.raw.signal);
      const message = { role: "assistant" as const, content: answered.answer };
      const choices = [{ index: 0, message, finish_reason: reasonOf(answered) }];
      return c.json({ id: answered.id, object: "chat.completion" as const, created, model, choices }, 200);
    }
    const id = `ask-${crypto.randomUUID()}`;
    const chunk = (delta: object, finish_reason: string | null) => {
      const choices = [{ index: 0, delta, finish_reason }];
      return { data: JSON.stringify({ id, object: "chat.completion.chunk", created, model, choices }) };
    };
    let sent = "";
    /** What was not sent yet. Text that was taken back cannot be unsaid in this interface. */
    const rest = (text: string) => {
      const more = text.startsWith(sent) ? text.slice(sent.length) : "";
      const role = sent === "" ? { role: "assistant" } : {};
      sent += more;
      return { ...role, content: more };
    };
    const response = await streamAnswer(c, options, {
      ask,
      grown: (text) => chunk(rest(text), null),
      done: (answered) => [
        chunk(rest(answered.answer), null),
        chunk({}, reasonOf(answered)),
        { data: "[DONE]" },
      ],
      failed: (problem) => [{ data: JSON.stringify(openAiError(problem)) }],
    });
    return response as never;
  });
}
