// The one error class of this room. A message names the source without its path, query or password, because
// any of the three may be a secret. Must not know HTTP or socket close codes.

export type SourceCode =
  | "unreachable"
  | "stalled"
  | "ended"
  | "replaced"
  | "format"
  | "denied"
  | "too_large"
  | "limits";

/** `backoff`: the same address may work later. `never`: only a different address or policy would. */
export type SourceRetry = "never" | "backoff";

const retry_by_code: Record<SourceCode, SourceRetry> = {
  unreachable: "backoff",
  stalled: "backoff",
  ended: "backoff",
  replaced: "never",
  format: "never",
  denied: "never",
  too_large: "never",
  limits: "never",
};

export interface SourceErrorOptions {
  retry?: SourceRetry;
  cause?: unknown;
  /** How the message begins; default "Cannot open source". */
  opening?: string;
}

export class SourceError extends Error {
  override readonly name = "SourceError";
  readonly retry: SourceRetry;

  /** `reason` is the half sentence behind the colon, for status lines that already name the source. */
  constructor(
    readonly code: SourceCode,
    readonly source: string,
    readonly reason: string,
    options: SourceErrorOptions = {},
  ) {
    super(`${options.opening ?? "Cannot open source"} "${source}": ${reason}`, { cause: options.cause });
    this.retry = options.retry ?? retry_by_code[code];
  }
}

/** The error as it is when it is already ours; anything else is an unreachable source with the cause kept. */
export function asSourceError(error: unknown, source: string): SourceError {
  if (error instanceof SourceError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new SourceError("unreachable", source, reason, { cause: error });
}
