// REST of snapshots (what a stream remembers, as a file) and of the newest picture. Must not know the state's format.
import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { RequestError } from "../errors.ts";
import { snapshot_list_schema, snapshot_schema } from "../wire/mod.ts";
import { type Api, type AppOptions, failures, id_params, jsonContent, streams_path } from "./api.ts";
import { snapshotMessage, timeText } from "./to_wire.ts";

const tags = ["snapshots"];
const base = `${streams_path}/{id}` as const;
const bytes_schema = z.string().meta({ format: "binary" });

const list_route = createRoute({
  method: "get",
  path: `${base}/snapshots`,
  tags,
  summary: "Snapshots of the memory, newest first",
  request: { params: id_params },
  responses: {
    200: { description: "The snapshots.", ...jsonContent(snapshot_list_schema) },
    ...failures(400, 401, 403, 404, 503),
  },
});
const take_route = createRoute({
  method: "post",
  path: `${base}/snapshots`,
  tags,
  summary: "Take one at the next tick",
  request: { params: id_params },
  responses: {
    201: { description: "The snapshot.", ...jsonContent(snapshot_schema) },
    ...failures(400, 401, 403, 404, 409, 415, 503, 507),
  },
});
const download_route = createRoute({
  method: "get",
  path: `${base}/snapshots/{tick}`,
  tags,
  summary: "The bytes of one snapshot",
  request: { params: id_params.extend({ tick: z.coerce.number().int().min(0) }) },
  responses: {
    200: {
      description: "State bytes, verified.",
      content: { "application/octet-stream": { schema: bytes_schema } },
    },
    ...failures(400, 401, 403, 404, 503),
  },
});
const picture_route = createRoute({
  method: "get",
  path: `${base}/snapshot.jpg`,
  tags: ["streams"],
  summary: "The newest picture",
  request: { params: id_params },
  responses: {
    200: { description: "A JPEG.", content: { "image/jpeg": { schema: bytes_schema } } },
    ...failures(400, 401, 403, 404),
  },
});

export function addSnapshotRoutes(api: Api, { surface }: AppOptions): void {
  api.openapi(list_route, (c) => {
    const { id } = c.req.valid("param");
    return c.json({ snapshots: surface.snapshots(id).map(snapshotMessage) }, 200);
  });
  api.openapi(
    take_route,
    async (c) => c.json(snapshotMessage(await surface.takeSnapshot(c.req.valid("param").id)), 201),
  );
  api.openapi(download_route, async (c) => {
    const { id, tick } = c.req.valid("param");
    const { head, blob } = await surface.readSnapshot(id, tick);
    c.header("content-type", "application/octet-stream");
    c.header("content-disposition", `attachment; filename="${id}-${tick}.state"`);
    c.header("x-model-hash", head.model_hash.replace(/[^\w:-]/g, ""));
    c.header("cache-control", "no-store");
    return c.body(blob as Uint8Array<ArrayBuffer>) as never;
  });
  api.openapi(picture_route, (c) => {
    const { id } = c.req.valid("param");
    const picture = surface.picture(id);
    if (!picture) throw new RequestError("picture_unknown", `Cannot show "${id}": no frame came yet.`);
    c.header("content-type", "image/jpeg");
    c.header("cache-control", "no-store");
    c.header("last-modified", new Date(timeText(picture.t_wall_ms)).toUTCString());
    return c.body(picture.jpeg as Uint8Array<ArrayBuffer>) as never;
  });
}
