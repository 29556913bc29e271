// An error as it crosses the network. The table from code to status is in src/http/error_response.ts.
import { z } from "zod";

export const error_schema = z.object({
  code: z.string(),
  /** A sentence that says what failed and names the value. */
  message: z.string(),
  retry: z.enum(["never", "backoff", "reopen"]),
});
export const error_body_schema = z.object({ error: error_schema });

export type WireError = z.infer<typeof error_schema>;

/** Socket close codes of Gander; 1009 (too big), 1011 (bug), 1012 (restart) keep their standard meaning. */
export const close_codes = {
  bad_message: 4400,
  unauthorized: 4401,
  forbidden_origin: 4403,
  stream_unknown: 4404,
  viewer_slow: 4008,
  stream_busy: 4409,
  too_many: 4429,
} as const;
