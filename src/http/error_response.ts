// The one table from error codes to HTTP status and socket close code, and the answer made from it.
// A code that is not mapped does not compile. docs/errors.md says the same in prose; a test keeps both equal.
import { HTTPException } from "hono/http-exception";
import { GanderError, type Retry } from "../errors.ts";
import { close_codes, type WireError } from "../wire/mod.ts";
import type { Code } from "./codes.ts";
import { HttpError } from "./http_error.ts";

export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 500 | 502 | 503 | 507;

export interface ErrorRow {
  status: ErrorStatus;
  /** Close code when the error ends a socket. */
  close: number;
}

const bad = close_codes.bad_message;
const many = close_codes.too_many;
/** The standard code for "the server failed". */
const failed = 1011;

export const error_table = {
  // RequestError: the caller asked for something that is not there or cannot be.
  stream_unknown: { status: 404, close: close_codes.stream_unknown },
  stream_exists: { status: 409, close: close_codes.stream_busy },
  stream_paused: { status: 409, close: close_codes.stream_busy },
  snapshot_unknown: { status: 404, close: bad },
  moment_unknown: { status: 404, close: bad },
  model_text_only: { status: 422, close: bad },
  model_no_images: { status: 400, close: bad },
  request_invalid: { status: 400, close: bad },
  question_invalid: { status: 400, close: bad },
  picture_unknown: { status: 404, close: bad },
  // CapacityError: wait and try again.
  streams_full: { status: 429, close: many },
  questions_full: { status: 429, close: many },
  probes_full: { status: 429, close: many },
  viewers_full: { status: 503, close: many },
  viewer_slow: { status: 503, close: close_codes.viewer_slow },
  config_invalid: { status: 500, close: failed },
  // SourceError: the camera or file does not give frames.
  unreachable: { status: 502, close: failed },
  stalled: { status: 502, close: failed },
  ended: { status: 409, close: bad },
  replaced: { status: 409, close: close_codes.stream_busy },
  format: { status: 422, close: bad },
  denied: { status: 403, close: bad },
  too_large: { status: 413, close: 1009 },
  limits: { status: 422, close: bad },
  // NativeError: the engine.
  misuse: { status: 500, close: failed },
  file: { status: 503, close: failed },
  memory: { status: 503, close: failed },
  full: { status: 429, close: many },
  busy: { status: 503, close: failed },
  space: { status: 500, close: failed },
  no_device: { status: 503, close: failed },
  device_lost: { status: 503, close: failed },
  foreign: { status: 422, close: bad },
  internal: { status: 500, close: failed },
  // ModelError, ImportError, VisionError, StoreError.
  bundle_missing: { status: 503, close: failed },
  bundle_invalid: { status: 503, close: failed },
  bundle_damaged: { status: 503, close: failed },
  tokenizer_invalid: { status: 503, close: failed },
  import_unreadable: { status: 422, close: failed },
  import_refused: { status: 422, close: failed },
  import_damaged: { status: 422, close: failed },
  import_unwritable: { status: 503, close: failed },
  vision_model: { status: 503, close: failed },
  vision_input: { status: 500, close: failed },
  vision_output: { status: 503, close: failed },
  vision_busy: { status: 503, close: failed },
  vision_lost: { status: 503, close: failed },
  vision_closed: { status: 503, close: failed },
  disk_full: { status: 507, close: failed },
  store_failed: { status: 503, close: failed },
  store_damaged: { status: 503, close: failed },
  // HttpError: this room.
  unauthorized: { status: 401, close: close_codes.unauthorized },
  forbidden_origin: { status: 403, close: close_codes.forbidden_origin },
  forbidden_host: { status: 403, close: close_codes.forbidden_origin },
  not_found: { status: 404, close: bad },
  method_not_allowed: { status: 405, close: bad },
  bad_request: { status: 400, close: bad },
  unsupported_media_type: { status: 415, close: bad },
  rate_limited: { status: 429, close: many },
  not_ready: { status: 503, close: 1012 },
} as const satisfies Record<Code, ErrorRow>;

export interface Problem extends ErrorRow {
  error: WireError;
  headers: Record<string, string>;
}

const hidden_message = "Cannot answer: something inside failed; the server's log says what.";

function rowOf(code: unknown): ErrorRow | undefined {
  return typeof code === "string" && Object.hasOwn(error_table, code) ? error_table[code as Code] : undefined;
}

/** What a framework refuses (broken JSON, wrong media type), in our own words. */
function fromException(exception: HTTPException): HttpError {
  if (exception.status === 415) {
    return new HttpError(
      "unsupported_media_type",
      "Cannot read the body: send Content-Type: application/json.",
    );
  }
  if (exception.status === 413) return new HttpError("too_large", "Cannot read the body: it is too large.");
  return new HttpError("bad_request", "Cannot read the body: it is not valid JSON.");
}

/**
 * The answer to any thrown thing. Known codes keep their sentence, written for people; what maps to 500 and what is
 * unknown keeps its text, stack and paths to the log.
 */
export function describeError(thrown: unknown): Problem {
  const error = thrown instanceof HTTPException && thrown.status < 500 ? fromException(thrown) : thrown;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const row = rowOf(code);
  if (!row || row.status === 500) {
    const wire: WireError = { code: "internal", message: hidden_message, retry: "never" };
    return { ...error_table.internal, error: wire, headers: {} };
  }
  const { message } = error as Error;
  const retry: Retry = error instanceof GanderError || hasRetry(error) ? error.retry : "never";
  const headers = error instanceof HttpError ? { ...error.headers } : {};
  if (retry === "backoff" && (row.status === 429 || row.status === 503)) headers["retry-after"] ??= "1";
  return { ...row, error: { code: code as Code, message, retry }, headers };
}

/** Error classes of rooms that src/errors.ts does not know carry the same field. */
function hasRetry(error: unknown): error is { retry: Retry } {
  const retry = (error as { retry?: unknown }).retry;
  return retry === "never" || retry === "backoff" || retry === "reopen";
}
