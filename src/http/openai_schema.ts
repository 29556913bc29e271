// What the chat interface that many programs speak looks like here: the fields that are read, and the shapes of answers
// and failures. Settings that are not listed (tools, logit_bias …) are accepted and have no effect: clients send them by
// default. Must not know streams or models.
import { z } from "zod";
import { wire_limits } from "../wire/mod.ts";
import type { Problem } from "./error_response.ts";
import { http_limits } from "./limits.ts";

const message_schema = z.object({
  role: z.enum(["system", "developer", "user", "assistant", "tool"]),
  /** Parts of kinds that are not understood are refused where they would be read. */
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string() })), z.null()]).optional(),
});
export type Message = z.infer<typeof message_schema>;

/** What a model answers with; a stream answers as its bundle says. */
const setting = (min: number, max: number) => z.number().min(min).max(max).nullish();
const stop_schema = z.string().min(1).max(http_limits.stop_chars_max);

export const chat_schema = z.looseObject({
  model: z.string().min(1).max(wire_limits.name_chars_max),
  messages: z.array(message_schema).min(1).max(http_limits.chat_messages_max),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  temperature: setting(0, 2),
  top_p: setting(0, 1),
  presence_penalty: setting(-2, 2),
  frequency_penalty: setting(-2, 2),
  max_tokens: z.number().int().min(1).nullish(),
  max_completion_tokens: z.number().int().min(1).nullish(),
  seed: z.number().int().nullish(),
  stop: z.union([stop_schema, z.array(stop_schema).max(http_limits.stops_max)]).nullish(),
});
export type ChatInput = z.infer<typeof chat_schema>;

const model_schema = z.object({
  id: z.string(),
  object: z.literal("model"),
  created: z.number().int(),
  owned_by: z.string(),
});
export const model_list_schema = z.object({ object: z.literal("list"), data: z.array(model_schema) });

const finish_reason_schema = z.enum(["stop", "length"]);
export type FinishReason = z.infer<typeof finish_reason_schema>;

/** Pictures count as the vectors that the model was fed for them. */
const usage_schema = z.object({
  prompt_tokens: z.number().int(),
  completion_tokens: z.number().int(),
  total_tokens: z.number().int(),
});
export type Usage = z.infer<typeof usage_schema>;

export const completion_schema = z.object({
  id: z.string(),
  object: z.literal("chat.completion"),
  created: z.number().int(),
  model: z.string(),
  choices: z.array(z.object({
    index: z.number().int(),
    message: z.object({ role: z.literal("assistant"), content: z.string() }),
    finish_reason: finish_reason_schema,
  })),
  /** Of models; a stream's state is not counted. */
  usage: usage_schema.optional(),
});

export const openai_error_schema = z.object({
  error: z.object({ message: z.string(), type: z.string(), param: z.null(), code: z.string() }),
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
