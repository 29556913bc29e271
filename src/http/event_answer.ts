// An answer of server-sent events: it takes a viewer's seat, is never cached, and a reader that does not read is cut off.
// Must not know what the events say.
import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import type { ApiEnv, AppOptions } from "./api.ts";
import { describeError } from "./error_response.ts";

/** `body` writes the events; false says that the reader is too slow. */
export function answerEvents(
  c: Context<ApiEnv>,
  { lobby, log }: Pick<AppOptions, "lobby" | "log">,
  body: (out: SSEStreamingApi) => Promise<boolean>,
): Response {
  const leave = lobby.take("events");
  // What was asked, pictures and all, is in memory until the last event.
  const leaveBody = c.get("leave_body");
  c.set("leave_body", undefined);
  c.header("cache-control", "no-store");
  c.header("x-accel-buffering", "no");
  return streamSSE(c, async (out) => {
    try {
      if (await body(out)) return;
      log.warn("events.slow", { path: c.req.path });
      // Closing politely would wait for the reader that does not read.
      c.env?.outgoing?.destroy();
    } catch (error) {
      const problem = describeError(error);
      if (problem.status >= 500) log.error("events.failed", { path: c.req.path, error });
      await out.writeSSE({ event: "failed", data: JSON.stringify({ error: problem.error }) });
    } finally {
      leave();
      leaveBody?.();
    }
  });
}
