// REST of questions: ask, as one JSON answer or as events while it is being said, and the answers that were kept.
// A question runs on a fork, so nothing here can change what a stream remembers.
import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { answer_list_schema, answer_schema, ask_schema, type AskInput } from "../wire/mod.ts";
import { streamAnswer } from "./answer_stream.ts";
import { type Api, type AppOptions, failures, id_params, jsonContent, streams_path } from "./api.ts";
import { http_limits } from "./limits.ts";
import { answerMessage, keptAnswer, readMoment } from "./to_wire.ts";

const tags = ["questions"];
const base = `${streams_path}/{id}` as const;

const ask_route = createRoute({
  method: "post",
  path: `${base}/ask`,
  tags,
  summary:
    "Ask about now or a past moment; `stream: true` or Accept: text/event-stream answers as it is said",
  request: { params: id_params, body: { required: true, ...jsonContent(ask_schema) } },
  responses: {
    200: {
      description: "The answer, or the events answer.delta (text so far), answer.done and answer.failed.",
      content: { ...jsonContent(answer_schema).content, "text/event-stream": { schema: z.string() } },
    },
    ...failures(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
  },
});
const answers_route = createRoute({
  method: "get",
  path: `${base}/answers`,
  tags,
  summary: "Answers given before, newest first",
  request: {
    params: id_params,
    query: z.object({ limit: z.coerce.number().int().min(1).max(http_limits.answers_max).default(50) }),
  },
  responses: {
    200: { description: "The answers.", ...jsonContent(answer_list_schema) },
    ...failures(400, 401, 403, 404, 503),
  },
});

export function addAskRoutes(api: Api, options: AppOptions): void {
  const { surface } = options;

  const ask = (id: string, input: AskInput, signal: AbortSignal, onText?: (text: string) => void) =>
    surface.ask(id, {
      question: input.question,
      at: readMoment(input.at),
      deadline_ms: input.deadline_ms,
      signal,
      onText,
    });

  api.openapi(ask_route, async (c) => {
    const { id } = c.req.valid("param");
    const input = c.req.valid("json");
    if (!input.stream && !c.req.header("accept")?.includes("text/event-stream")) {
      return c.json(answerMessage(await ask(id, input, c.req.raw.signal)), 200);
    }
    const response = await streamAnswer(c, options, {
      ask: (signal, onText) => ask(id, input, signal, onText),
      grown: (text) => ({ event: "answer.delta", data: JSON.stringify({ text }) }),
      done: (
        answered,
      ) => [{ event: "answer.done", data: JSON.stringify({ answer: answerMessage(answered) }) }],
      failed: ({ error }) => [{ event: "answer.failed", data: JSON.stringify({ error }) }],
    });
    return response as never;
  });

  api.openapi(answers_route, (c) => {
    const answers = surface.answers(c.req.valid("param").id, c.req.valid("query").limit);
    return c.json({ answers: answers.map(keptAnswer) }, 200);
  });
}
