// REST of streams: list, add, show, change, remove, pause, resume, probe; and the model. Thin: a schema, a call.
import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import {
  api_prefix,
  model_view_schema,
  probe_schema,
  source_schema,
  stream_list_schema,
  stream_patch_schema,
  stream_spec_schema,
  stream_view_schema,
} from "../wire/mod.ts";
import { type Api, type AppOptions, failures, id_params, jsonContent, streams_path } from "./api.ts";

const tags = ["streams"];
const one = `${streams_path}/{id}` as const;
const view = (description: string) => ({ description, ...jsonContent(stream_view_schema) });
const body = <Schema extends z.ZodType>(schema: Schema) => ({
  body: { required: true, ...jsonContent(schema) },
});

const list_route = createRoute({
  method: "get",
  path: streams_path,
  tags,
  summary: "All streams",
  responses: {
    200: { description: "Every stream.", ...jsonContent(stream_list_schema) },
    ...failures(401, 403),
  },
});
const add_route = createRoute({
  method: "post",
  path: streams_path,
  tags,
  summary: "Add a stream and start watching",
  request: body(stream_spec_schema),
  responses: { 201: view("The new stream."), ...failures(400, 401, 403, 409, 413, 415, 422, 429, 503) },
});
const get_route = createRoute({
  method: "get",
  path: one,
  tags,
  summary: "One stream",
  request: { params: id_params },
  responses: { 200: view("The stream."), ...failures(400, 401, 403, 404) },
});
const change_route = createRoute({
  method: "patch",
  path: one,
  tags,
  summary: "Change settings; what is left out stays",
  description:
    "The address given exactly as it is shown, without its secrets, keeps the stored one with them.",
  request: { params: id_params, ...body(stream_patch_schema) },
  responses: { 200: view("The changed stream."), ...failures(400, 401, 403, 404, 409, 413, 415, 422) },
});
const remove_route = createRoute({
  method: "delete",
  path: one,
  tags,
  summary: "Stop a stream and forget it, its captions and snapshots too",
  request: { params: id_params },
  responses: { 204: { description: "It is gone." }, ...failures(400, 401, 403, 404) },
});
const pause_route = createRoute({
  method: "post",
  path: `${one}/pause`,
  tags,
  summary: "Stop feeding frames; what the stream remembers stays",
  request: { params: id_params },
  responses: { 200: view("The paused stream."), ...failures(400, 401, 403, 404, 409, 415) },
});
const resume_route = createRoute({
  method: "post",
  path: `${one}/resume`,
  tags,
  summary: "Feed frames again",
  request: { params: id_params },
  responses: { 200: view("The running stream."), ...failures(400, 401, 403, 404, 409, 415) },
});
const probe_route = createRoute({
  method: "post",
  path: `${api_prefix}/probe`,
  tags,
  summary: "Open a source without adding it",
  request: body(source_schema),
  responses: {
    200: { description: "What was seen, or why nothing was.", ...jsonContent(probe_schema) },
    ...failures(400, 401, 403, 413, 415, 422, 429),
  },
});
const model_route = createRoute({
  method: "get",
  path: `${api_prefix}/model`,
  tags: ["model"],
  summary: "The model that is watching",
  responses: { 200: { description: "The model.", ...jsonContent(model_view_schema) }, ...failures(401, 403) },
});

export function addStreamRoutes(api: Api, { surface }: AppOptions): void {
  api.openapi(list_route, (c) => c.json({ streams: surface.list() }, 200));
  api.openapi(add_route, async (c) => {
    const stream = await surface.add(c.req.valid("json"));
    c.header("location", `${streams_path}/${stream.id}`);
    return c.json(stream, 201);
  });
  api.openapi(get_route, (c) => c.json(surface.get(c.req.valid("param").id), 200));
  api.openapi(
    change_route,
    async (c) => c.json(await surface.change(c.req.valid("param").id, c.req.valid("json")), 200),
  );
  api.openapi(remove_route, async (c) => {
    await surface.remove(c.req.valid("param").id);
    return c.body(null, 204);
  });
  api.openapi(pause_route, async (c) => c.json(await surface.pause(c.req.valid("param").id), 200));
  api.openapi(resume_route, async (c) => c.json(await surface.resume(c.req.valid("param").id), 200));
  // A browser that closes the dialog ends the test with it.
  api.openapi(
    probe_route,
    async (c) => c.json(await surface.probe(c.req.valid("json"), c.req.raw.signal), 200),
  );
  api.openapi(model_route, (c) => c.json(surface.model, 200));
}
