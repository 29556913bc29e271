// An answer sent as events while it is being said. What fails before the first word is an ordinary HTTP error;
// afterwards it is an event. Must not know the shape of the events.
import type { Context } from "hono";
import type { SSEMessage, SSEStreamingApi } from "hono/streaming";
import type { ApiEnv, AppOptions } from "./api.ts";
import { event_times, writeInTime } from "./caption_events.ts";
import { describeError, type Problem } from "./error_response.ts";
import { answerEvents } from "./event_answer.ts";

export interface AnswerStream<Answered> {
  /** Begins the question. `onText` is given the whole text so far. */
  ask(signal: AbortSignal, onText: (text: string) => void): Promise<Answered>;
  /** The events for text that has grown, for the end, and for a failure. */
  grown(text: string): SSEMessage;
  done(answered: Answered): SSEMessage[];
  failed(problem: Problem): SSEMessage[];
}

export async function streamAnswer<Answered>(
  c: Context<ApiEnv>,
  options: AppOptions,
  stream: AnswerStream<Answered>,
): Promise<Response> {
  const left = new AbortController();
  let text = "";
  let over = false;
  let heard = Promise.withResolvers<void>();
  const answering = stream.ask(AbortSignal.any([c.req.raw.signal, left.signal]), (so_far) => {
    text = so_far;
    heard.resolve();
  });
  const finish = () => {
    over = true;
    heard.resolve();
  };
  answering.then(finish, finish);
  await Promise.race([heard.promise, answering]);

  async function speak(out: SSEStreamingApi): Promise<boolean> {
    out.onAbort(() => left.abort());
    const send = (event: SSEMessage) =>
      writeInTime(out.writeSSE(event), event_times.write_ms_max, options.clock);
    for (let sent = ""; !over && !out.aborted; await heard.promise) {
      heard = Promise.withResolvers();
      if (text === sent) continue;
      sent = text;
      if (await send(stream.grown(text))) continue;
      left.abort();
      return false;
    }
    for (const event of await answering.then(stream.done, explain)) {
      if (!await send(event)) return false;
    }
    return true;
  }

  function explain(error: unknown): SSEMessage[] {
    const problem = describeError(error);
    if (problem.status >= 500) options.log.error("ask.failed", { path: c.req.path, error });
    return stream.failed(problem);
  }

  try {
    return answerEvents(c, options, speak);
  } catch (error) {
    left.abort();
    throw error;
  }
}
