// Is the process alive, may it get work, and the numbers behind that. For supervisors and monitoring.
import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { type Api, type AppOptions, failures, jsonContent } from "./api.ts";
import { HttpError } from "./http_error.ts";

const tags = ["health"];
const health_schema = z.object({ ok: z.literal(true), version: z.string() });

const alive_route = createRoute({
  method: "get",
  path: "/healthz",
  tags,
  summary: "The process runs",
  responses: { 200: { description: "It does.", ...jsonContent(health_schema) }, ...failures(403) },
});
const ready_route = createRoute({
  method: "get",
  path: "/readyz",
  tags,
  summary: "A model is loaded and work is taken",
  responses: { 200: { description: "Ready.", ...jsonContent(health_schema) }, ...failures(401, 403, 503) },
});
const metrics_route = createRoute({
  method: "get",
  path: "/metrics",
  tags,
  summary: "Numbers in Prometheus text form",
  responses: {
    200: { description: "The numbers.", content: { "text/plain": { schema: z.string() } } },
    ...failures(401, 403),
  },
});

export function addHealthRoutes(api: Api, { surface, lobby, metrics, version }: AppOptions): void {
  api.openapi(alive_route, (c) => c.json({ ok: true as const, version }, 200));
  api.openapi(ready_route, (c) => {
    if (lobby.draining) {
      throw new HttpError("not_ready", "Cannot take work: the server is closing.", { retry: "backoff" });
    }
    if (!surface.ready) {
      throw new HttpError("not_ready", "Cannot take work: no model is loaded.", { retry: "backoff" });
    }
    return c.json({ ok: true as const, version }, 200);
  });
  api.openapi(metrics_route, async (c) => {
    c.header("content-type", metrics.content_type);
    c.header("cache-control", "no-store");
    return c.body(await metrics.render()) as never;
  });
}
