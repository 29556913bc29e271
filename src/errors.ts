// The shape every room's error class has in common, and the classes of src itself. Must not know HTTP.

/** What a caller may do about it: nothing, wait and try again, or open the thing anew. */
export type Retry = "never" | "backoff" | "reopen";

/** A message says what failed and names the value: `Cannot open source "cam1": connection refused`. */
export class GanderError extends Error {
  override readonly name: string = "GanderError";
  constructor(
    readonly code: string,
    message: string,
    readonly retry: Retry = "never",
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export class ConfigError extends GanderError {
  override readonly name = "ConfigError";
  /** All problems are reported together. */
  constructor(readonly problems: readonly string[]) {
    super(
      "config_invalid",
      `Cannot use the configuration:\n${problems.map((line) => `  ${line}`).join("\n")}`,
    );
  }
}

export type CapacityCode =
  | "streams_full"
  | "questions_full"
  | "probes_full"
  | "viewers_full"
  | "viewer_slow";

export class CapacityError extends GanderError {
  override readonly name = "CapacityError";
  constructor(override readonly code: CapacityCode, message: string) {
    super(code, message, "backoff");
  }
}

export type RequestCode =
  | "stream_unknown"
  | "stream_exists"
  | "stream_paused"
  | "snapshot_unknown"
  | "moment_unknown"
  | "model_text_only"
  | "model_no_images"
  | "request_invalid"
  | "question_invalid"
  | "picture_unknown";

/** The caller asked for something that is not there or cannot be. */
export class RequestError extends GanderError {
  override readonly name = "RequestError";
  constructor(override readonly code: RequestCode, message: string) {
    super(code, message);
  }
}
