// What the HTTP room itself refuses: doors, forms and sizes. Must not know the pipeline.
import { GanderError, type Retry } from "../errors.ts";
import type { HttpCode } from "./codes.ts";

export interface HttpErrorOptions extends ErrorOptions {
  retry?: Retry;
  /** Headers the answer carries, e.g. `Allow` or `Retry-After`. */
  headers?: Record<string, string>;
}

export class HttpError extends GanderError {
  override readonly name = "HttpError";
  readonly headers: Record<string, string>;

  constructor(override readonly code: HttpCode, message: string, options: HttpErrorOptions = {}) {
    super(code, message, options.retry ?? "never", options);
    this.headers = options.headers ?? {};
  }
}
