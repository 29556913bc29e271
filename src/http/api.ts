// What every route file shares: the app's type, what it is given, and the declared failures.
// Must not know a single route.
import type { HttpBindings } from "@hono/node-server";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Surface } from "../pipeline/surface.ts";
import { api_prefix, error_body_schema, stream_id_schema } from "../wire/mod.ts";
import type { Auth } from "./auth.ts";
import type { ErrorStatus } from "./error_response.ts";
import type { Entry, Guard } from "./guard.ts";
import type { Lobby } from "./lobby.ts";
import type { Metrics } from "./metrics.ts";

export interface AppOptions {
  surface: Surface;
  auth: Auth;
  guard: Guard;
  lobby: Lobby;
  metrics: Metrics;
  /** Where the built dashboard lies; without it, or before it is built, a page says how to build it. */
  static_dir: string | undefined;
  version: string;
  clock: Clock;
  log: Log;
}

/** node:http's pair is missing when a test calls the app without a server. */
export interface ApiEnv {
  Bindings: Partial<HttpBindings>;
  Variables: {
    entry: Entry;
    /** Gives back the bytes of the body. An answer that goes on behind its handler takes it over. */
    leave_body: (() => void) | undefined;
  };
}
export type Api = OpenAPIHono<ApiEnv>;

export const streams_path = `${api_prefix}/streams` as const;
export const id_params = z.object({ id: stream_id_schema });

export function addressOf(c: Context<ApiEnv>): string {
  return c.env?.incoming?.socket.remoteAddress ?? "unknown";
}

/** How the caller was let in; set by the guard for every request. */
export function entryOf(c: Context<ApiEnv>): Entry {
  return c.get("entry") ?? {};
}

export function jsonContent<Schema extends z.ZodType>(schema: Schema) {
  return { content: { "application/json": { schema } } };
}

const failure_text: Record<ErrorStatus, string> = {
  400: "The request says something that cannot be; the message names every problem.",
  401: "A token or a session is missing or wrong.",
  403: "Not from this origin, host or source.",
  404: "There is no such thing.",
  405: "The path knows other methods.",
  409: "Not in this state.",
  413: "Too large.",
  415: "Not application/json.",
  422: "Understood, but this model or source cannot do it.",
  429: "Too many at once: wait and try again.",
  500: "A fault of the server; its log has the details.",
  502: "The source does not answer.",
  503: "Not now: wait and try again.",
  507: "The disk is full.",
};

interface Failure {
  description: string;
  content: { "application/json": { schema: typeof error_body_schema } };
}

/** The declared failures of a route, one per status. Their bodies all have one shape. */
export function failures<const Status extends ErrorStatus>(
  ...statuses: Status[]
): { [S in Status]: Failure } {
  const entries = statuses.map((status) => [
    status,
    { description: failure_text[status], ...jsonContent(error_body_schema) },
  ]);
  return Object.fromEntries(entries);
}
