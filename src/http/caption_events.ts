// Captions of one stream as server-sent events. The log is the queue: an event only says that there is more to read,
// so a slow reader costs one page of memory, and resuming is reading on after a number. Must not know routes.
import type { SSEMessage, SSEStreamingApi } from "hono/streaming";
import type { Clock } from "../clock.ts";
import type { Surface } from "../pipeline/surface.ts";
import { http_limits } from "./limits.ts";
import { captionMessage } from "./to_wire.ts";

export interface EventTimes {
  /** Proxies cut silent connections after 30 to 60 s. */
  keep_alive_ms: number;
  /** A reader that takes nothing for so long is cut off; it resumes with Last-Event-ID. */
  write_ms_max: number;
}
export const event_times: EventTimes = {
  keep_alive_ms: http_limits.event_keep_alive_ms,
  write_ms_max: http_limits.event_write_ms_max,
};

export interface CaptionEventsOptions extends EventTimes {
  surface: Surface;
  clock: Clock;
  stream: string;
  /** Everything after this number comes first. */
  after_seq: number;
  /** Aborts when the server closes. */
  closing: AbortSignal;
  /** Asked at every keep-alive: false ends the stream, e.g. after a logout. */
  stillWelcome(): boolean;
}

/** False when the reader did not take it in time. A reader that left settles the write by itself. */
export async function writeInTime(write: Promise<unknown>, ms_max: number, clock: Clock): Promise<boolean> {
  const done = new AbortController();
  const written = write.then(() => true, () => true).finally(() => done.abort());
  return await Promise.race([written, clock.sleep(ms_max, done.signal).then(() => done.signal.aborted)]);
}

/** Runs until the stream or the server ends or the reader leaves. False: it was too slow and must be cut off. */
export async function sendCaptionEvents(
  out: SSEStreamingApi,
  options: CaptionEventsOptions,
): Promise<boolean> {
  const { surface, clock, stream, closing } = options;
  let cursor = options.after_seq;
  let removed = false;
  let waiting = new AbortController();
  const wake = () => waiting.abort();
  const stopListening = surface.listen((event) => {
    if (event.type === "stream.removed" && event.stream === stream) removed = true;
    else if (event.type !== "caption.final" || event.caption.stream !== stream) return;
    wake();
  });
  out.onAbort(wake);
  closing.addEventListener("abort", wake);
  const over = () => out.aborted || removed || closing.aborted;
  const comment = (text: string) => writeInTime(out.write(`: ${text}\n\n`), options.write_ms_max, clock);
  const send = (message: SSEMessage) => writeInTime(out.writeSSE(message), options.write_ms_max, clock);

  try {
    if (!await comment("captions follow")) return false;
    while (!over()) {
      // Made before reading, so that a caption between reading and waiting is not missed.
      waiting = new AbortController();
      const page = surface.captions(stream, { after_seq: cursor, limit: http_limits.event_page_captions });
      for (const caption of page) {
        const data = JSON.stringify(captionMessage(caption));
        if (!await send({ id: String(caption.seq), event: "caption", data })) return false;
        if (over()) break;
        cursor = caption.seq;
      }
      if (page.length === http_limits.event_page_captions || over()) continue;
      await clock.sleep(options.keep_alive_ms, waiting.signal);
      if (waiting.signal.aborted) continue;
      if (!options.stillWelcome()) return true;
      if (!await comment("still here")) return false;
    }
    if (out.aborted) return true;
    const reason = removed ? "the stream was removed" : "the server is closing";
    return await send({ event: "goaway", data: JSON.stringify({ reason }) });
  } finally {
    stopListening();
    closing.removeEventListener("abort", wake);
  }
}
