// REST of the server as functions. Every answer is parsed by its schema; every failure is one ApiError with a
// sentence for a person. Knows no component and no state.
import { z } from "zod";
import {
  answer_list_schema,
  api_prefix,
  caption_list_schema,
  error_body_schema,
  probe_schema,
  session_schema,
  snapshot_list_schema,
  type SourceSpec,
  stream_view_schema,
  type StreamPatch,
  type StreamSpec,
  type WireError,
} from "../src/wire/mod.ts";

export class ApiError extends Error {
  override name = "ApiError";
  readonly code: string;
  readonly retry: WireError["retry"];
  readonly status: number;

  constructor(error: WireError, status: number) {
    super(error.message);
    this.code = error.code;
    this.retry = error.retry;
    this.status = status;
  }
}

async function call<T>(
  method: string,
  path: string,
  schema: z.ZodType<T>,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(api_prefix + path, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      signal,
    });
  } catch {
    const message = "The server cannot be reached. Check that it runs, then try again.";
    throw new ApiError({ code: "unreachable", message, retry: "backoff" }, 0);
  }
  const text = await response.text();
  const json = parseJson(text);
  if (!response.ok) {
    const parsed = error_body_schema.safeParse(json);
    const message = `The server answered ${response.status} without saying why.`;
    throw new ApiError(
      parsed.success ? parsed.data.error : { code: "unexpected", message, retry: "never" },
      response.status,
    );
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const message = "The server's answer is not what this page expects. Reload the page.";
  throw new ApiError({ code: "unexpected", message, retry: "never" }, response.status);
}

function parseJson(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined; // not JSON: the caller says so by status
  }
}

const streamPath = (id: string, rest = "") => `/streams/${encodeURIComponent(id)}${rest}`;

export interface CaptionRange {
  from?: string;
  to?: string;
  q?: string;
  limit?: number;
  order?: "oldest" | "newest";
}

export const api = {
  session: () => call("GET", "/session", session_schema),
  signIn: (token: string) => call("POST", "/session", z.unknown(), { token }),
  addStream: (spec: StreamSpec) => call("POST", "/streams", stream_view_schema, spec),
  changeStream: (id: string, patch: StreamPatch) => call("PATCH", streamPath(id), stream_view_schema, patch),
  removeStream: (id: string) => call("DELETE", streamPath(id), z.unknown()),
  pauseStream: (id: string) => call("POST", streamPath(id, "/pause"), z.unknown()),
  resumeStream: (id: string) => call("POST", streamPath(id, "/resume"), z.unknown()),
  /** Abort ends the test on the server too. */
  probe: (source: SourceSpec, signal: AbortSignal) => call("POST", "/probe", probe_schema, source, signal),
  captions: (id: string, range: CaptionRange) => call("GET", captionsPath(id, range), caption_list_schema),
  answers: (id: string) => call("GET", streamPath(id, "/answers"), answer_list_schema),
  snapshots: (id: string) => call("GET", streamPath(id, "/snapshots"), snapshot_list_schema),
};

function captionsPath(id: string, range: CaptionRange): string {
  const entries = Object.entries(range).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(entries.map(([key, value]) => [key, String(value)]));
  return streamPath(id, `/captions?${query}`);
}

export type ExportFormat = "vtt" | "srt" | "jsonl";

export function exportUrl(id: string, format: ExportFormat): string {
  return api_prefix + streamPath(id, `/captions.${format}`);
}

/** ws or wss, like the page itself. */
export function socketUrl(path: string, page: { protocol: string; host: string } = location): string {
  return `${page.protocol === "https:" ? "wss:" : "ws:"}//${page.host}${path}`;
}
