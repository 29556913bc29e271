// REST of the stand-in server: enough for the dashboard, with the errors it must be able to show.
import type { StreamSpec, StreamView } from "../../src/wire/mod.ts";
import type { MockServer } from "../dev_server.ts";
import { makeStream, type MockStream } from "./mock_streams.ts";

export interface RestCall {
  method: string;
  path: readonly string[];
  query: URLSearchParams;
  // deno-lint-ignore no-explicit-any -- a stand-in does not check what its one client sends
  body: any;
}

export function answerRest(server: MockServer, { method, path, query, body }: RestCall): Response {
  const [root, id, verb] = path;
  if (root === "session") return session(server, method, body?.token);
  if (root === "probe") return probe(String(body.url));
  if (root === "streams" && !id && method === "POST") return add(server, body);
  const stream = server.streams.get(id ?? "");
  if (!stream) return failure(404, "stream_unknown", `There is no stream "${id}".`);
  const change = (part: Partial<StreamView>) => {
    stream.view = { ...stream.view, ...part };
    server.tell({ type: "stream.changed", stream: stream.view });
    return Response.json(stream.view);
  };
  if (verb === "pause" || verb === "resume") return change({ paused: verb === "pause" });
  if (verb === "captions") {
    return Response.json({ captions: pick(stream, query), last_seq: stream.view.last_seq });
  }
  if (verb === "answers") return Response.json({ answers: [] });
  if (verb === "snapshots") return Response.json({ snapshots: stream.snapshots.toReversed() });
  if (method === "PATCH") return change(body);
  if (method === "DELETE") {
    server.streams.delete(stream.view.id);
    server.tell({ type: "stream.removed", stream: stream.view.id });
    return new Response(null, { status: 204 });
  }
  return failure(404, "not_found", "There is no such path.");
}

function session(server: MockServer, method: string, token: unknown): Response {
  if (method === "POST") {
    if (token !== server.token) {
      return failure(401, "unauthorized", "Cannot sign in: the token is not the one of this server.");
    }
    server.signed_in = true;
  }
  const required = server.token !== undefined;
  return Response.json({ required, signed_in: !required || server.signed_in });
}

/** Addresses with "nowhere" in them do not open. */
function probe(url: string): Response {
  if (url.includes("nowhere")) return Response.json({ ok: false, reason: "connection refused" });
  const seen = { width_px: 1280, height_px: 720, codec: "h264", first_frame_ms: 820 };
  return Response.json({ ok: true, reason: "", ...seen });
}

/** A stream named "full" meets a full server. */
function add(server: MockServer, spec: StreamSpec): Response {
  if (spec.name === "full") return failure(429, "streams_full", "Cannot add a stream: 16 of 16 run.");
  const id = spec.name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 40);
  const push = spec.source.kind === "push";
  const stream = makeStream(
    id,
    spec.name,
    spec.source,
    push ? { status: "connecting", reason: "waiting for a camera" } : {},
  );
  server.streams.set(id, stream);
  server.tell({ type: "stream.changed", stream: stream.view });
  return Response.json(stream.view, { status: 201 });
}

function pick(stream: MockStream, query: URLSearchParams) {
  const limit = Number(query.get("limit") ?? 200);
  const from_ms = Date.parse(query.get("from") ?? "1970-01-01");
  const to_ms = Date.parse(query.get("to") ?? "9999-01-01");
  const words = (query.get("q") ?? "").toLowerCase();
  const found = stream.captions.filter(({ text, t_wall }) =>
    text.toLowerCase().includes(words) && Date.parse(t_wall) >= from_ms && Date.parse(t_wall) <= to_ms
  );
  return query.get("order") === "newest" ? found.toReversed().slice(0, limit) : found.slice(0, limit);
}

function failure(status: number, code: string, message: string): Response {
  return Response.json({ error: { code, message, retry: "never" } }, { status });
}
