// REST of captions: JSON pages, live events, and files to download. Must not know how captions are made.
import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import { z } from "zod";
import { caption_list_schema, caption_query_schema } from "../wire/mod.ts";
import {
  type Api,
  type ApiEnv,
  type AppOptions,
  entryOf,
  failures,
  id_params,
  jsonContent,
  streams_path,
} from "./api.ts";
import { event_times, type EventTimes, sendCaptionEvents } from "./caption_events.ts";
import { export_types, exportCaptions, type ExportFormat } from "./caption_export.ts";
import { answerEvents } from "./event_answer.ts";
import { HttpError } from "./http_error.ts";
import { captionMessage, captionQuery } from "./to_wire.ts";

const tags = ["captions"];
const base = `${streams_path}/{id}` as const;
const event_schema = z.string().meta({
  description: "event: caption, id: the number, data: one caption as JSON.",
});
const events_content = { "text/event-stream": { schema: event_schema } };

const list_route = createRoute({
  method: "get",
  path: `${base}/captions`,
  tags,
  summary: "Captions by number, time or words; with Accept: text/event-stream live",
  request: { params: id_params, query: caption_query_schema },
  responses: {
    200: {
      description: "A page of captions, or live events.",
      content: { ...jsonContent(caption_list_schema).content, ...events_content },
    },
    ...failures(400, 401, 403, 404, 503),
  },
});
const events_route = createRoute({
  method: "get",
  path: `${base}/captions/events`,
  tags,
  summary: "Captions live; Last-Event-ID (or after_seq) resumes without a gap",
  request: { params: id_params, query: caption_query_schema.pick({ after_seq: true }) },
  responses: {
    200: { description: "Live events.", content: events_content },
    ...failures(400, 401, 403, 404, 503),
  },
});
const exportRoute = <Format extends ExportFormat>(format: Format) =>
  createRoute({
    method: "get",
    path: `${base}/captions.${format}`,
    tags,
    summary: `Captions as a .${format} file`,
    request: { params: id_params, query: caption_query_schema.omit({ limit: true, order: true }) },
    responses: {
      200: {
        description: "The file.",
        content: { [export_types[format].split(";")[0]]: { schema: z.string() } },
      },
      ...failures(400, 401, 403, 404),
    },
  });

/** Where a reader goes on: its Last-Event-ID wins over the address, which a reconnecting browser repeats. */
function readCursor(c: Context, last_seq: number, after_seq: number | undefined): number {
  const header = c.req.header("last-event-id");
  if (header && !/^\d{1,15}$/.test(header)) {
    throw new HttpError(
      "bad_request",
      `Cannot resume after "${header}": Last-Event-ID is not a caption number.`,
    );
  }
  // A number from before the log was emptied would wait for captions that come in days.
  return Math.min(header ? Number(header) : after_seq ?? last_seq, last_seq);
}

export function addCaptionRoutes(api: Api, options: AppOptions & { event_times?: EventTimes }): void {
  const { surface, guard, lobby, clock } = options;

  function sendEvents(c: Context<ApiEnv>, stream: string, after_seq: number | undefined): Response {
    const cursor = readCursor(c, surface.get(stream).last_seq, after_seq);
    const entry = entryOf(c);
    return answerEvents(c, options, (out) =>
      sendCaptionEvents(out, {
        ...(options.event_times ?? event_times),
        surface,
        clock,
        stream,
        after_seq: cursor,
        closing: lobby.closing,
        stillWelcome: () => guard.stillWelcome(entry),
      }));
  }

  api.openapi(list_route, (c) => {
    const { id } = c.req.valid("param");
    const query = c.req.valid("query");
    if (c.req.header("accept")?.includes("text/event-stream")) {
      return sendEvents(c, id, query.after_seq) as never;
    }
    const { last_seq } = surface.get(id);
    return c.json({ captions: surface.captions(id, captionQuery(query)).map(captionMessage), last_seq }, 200);
  });
  api.openapi(
    events_route,
    (c) => sendEvents(c, c.req.valid("param").id, c.req.valid("query").after_seq) as never,
  );

  for (const format of ["vtt", "srt", "jsonl"] as const) {
    api.openapi(exportRoute(format), (c) => {
      const { id } = c.req.valid("param");
      surface.get(id);
      const query = captionQuery({ ...c.req.valid("query"), limit: 1, order: "oldest" });
      const chunks = exportCaptions(format, query, (page) => surface.captions(id, page));
      c.header("content-type", export_types[format]);
      c.header("content-disposition", `attachment; filename="${id}.${format}"`);
      return c.body(ReadableStream.from(chunks).pipeThrough(new TextEncoderStream())) as never;
    });
  }
}
