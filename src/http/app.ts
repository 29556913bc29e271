// The Hono app: doors, limits, routes, errors, in that order. It never listens; server.ts does.
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { z } from "zod";
import { addressOf, type Api, type ApiEnv, type AppOptions } from "./api.ts";
import { addAskRoutes } from "./ask_routes.ts";
import { checkBody, LongBodies } from "./body_limit.ts";
import { addCaptionRoutes } from "./caption_routes.ts";
import type { EventTimes } from "./caption_events.ts";
import { addDocsPage } from "./docs_page.ts";
import { describeError } from "./error_response.ts";
import { securityHeaders } from "./headers.ts";
import { addHealthRoutes } from "./health_routes.ts";
import { HttpError } from "./http_error.ts";
import { http_limits } from "./limits.ts";
import { addOpenAiRoutes, chat_path, openai_prefix } from "./openai_routes.ts";
import { openAiError } from "./openai_schema.ts";
import { addSessionRoutes } from "./session_routes.ts";
import { addSnapshotRoutes } from "./snapshot_routes.ts";
import { readStaticFile } from "./static_files.ts";
import { addStreamRoutes } from "./stream_routes.ts";

/** Tests shorten the times. */
export type CreateAppOptions = AppOptions & { event_times?: EventTimes };

/** Every problem in one sentence: `name: too short; source.kind: …`. */
function listProblems(error: z.core.$ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`).join("; ");
}

export function createApp(options: CreateAppOptions): Api {
  const { guard, metrics, version } = options;
  const api: Api = new OpenAPIHono<ApiEnv>({
    defaultHook(result) {
      if (result.success) return;
      throw new HttpError("bad_request", `Cannot read the request: ${listProblems(result.error)}.`);
    },
  });

  api.use(async (c, next) => {
    await next();
    // A streamed answer is counted when it begins.
    metrics.countRequest(c.req.method, c.res.status);
  });
  api.use(async (c, next) => {
    const entry = guard.admit({
      method: c.req.method,
      path: c.req.path,
      upgrade: false,
      address: addressOf(c),
      header: (name) => c.req.header(name),
    });
    c.set("entry", entry);
    for (const [name, value] of Object.entries(securityHeaders(c.req.header("host")))) c.header(name, value);
    await next();
  });
  const long_bodies = new LongBodies();
  api.use(async (c, next) => {
    const bytes_max = c.req.path === chat_path ? http_limits.chat_bytes_max : http_limits.json_bytes_max;
    c.set("leave_body", await checkBody(c, bytes_max, long_bodies));
    try {
      await next();
    } finally {
      c.get("leave_body")?.();
    }
  });

  addStreamRoutes(api, options);
  addCaptionRoutes(api, options);
  addAskRoutes(api, options);
  addSnapshotRoutes(api, options);
  addOpenAiRoutes(api, options);
  addSessionRoutes(api, options);
  addHealthRoutes(api, options);
  api.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "Gander",
      version,
      description:
        "Live video in, captions and answers out. Errors all have the shape {error: {code, message, retry}}.",
    },
  });
  addDocsPage(api);

  const methodsOf = listMethods(api);
  api.notFound((c) => answerFallback(c, methodsOf, options.static_dir));
  api.onError((error, c) => answerError(error, c, options));
  return api;
}

function answerError(error: Error, c: Context<ApiEnv>, { log }: CreateAppOptions): Response {
  const problem = describeError(error);
  const { method, path } = c.req;
  if (problem.status === 500) log.error("http.failed", { method, path, error: error.stack ?? error.message });
  else if (problem.status > 500) log.warn("http.refused", { method, path, code: problem.error.code, error });
  for (const [name, value] of Object.entries(securityHeaders(undefined))) c.header(name, value);
  for (const [name, value] of Object.entries(problem.headers)) c.header(name, value);
  c.header("cache-control", "no-store");
  return c.json(
    path.startsWith(openai_prefix) ? openAiError(problem) : { error: problem.error },
    problem.status,
  );
}

/** Which methods a path knows, from the routes themselves. */
function listMethods(api: Api): (path: string) => string[] {
  const known = api.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replace(/[.]/g, "\\.").replace(/:[a-z_]+/g, "[^/]+")}$`),
  }));
  return (
    path,
  ) => [...new Set(known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
}

async function answerFallback(
  c: Context<ApiEnv>,
  methodsOf: (path: string) => string[],
  static_dir: string | undefined,
): Promise<Response> {
  const { method, path } = c.req;
  const allowed = methodsOf(path);
  if (allowed.length > 0) {
    const allow = allowed.join(", ");
    throw new HttpError("method_not_allowed", `Cannot ${method} ${path}: it knows ${allow}.`, {
      headers: { allow },
    });
  }
  if (method === "GET" || method === "HEAD") {
    const file = await readStaticFile(static_dir, path);
    if (file) return c.body(file.body as ArrayBuffer | string, 200, file.headers);
  }
  throw new HttpError("not_found", `Cannot find ${path}: there is no such page or route.`);
}
