// Bodies of requests: JSON and nothing else, 64 KiB at most, announced or not. Must not know what is in them.
import type { Context } from "hono";
import { HttpError } from "./http_error.ts";
import { http_limits } from "./limits.ts";

function refuse(): never {
  throw new HttpError(
    "too_large",
    `Cannot read the body: more than ${http_limits.json_bytes_max} bytes came.`,
  );
}

/** Throws unsupported_media_type or too_large. A body of unknown length is read here, up to the bound. */
export async function checkBody(c: Context): Promise<void> {
  // Whatever a body claims to be, only JSON is read: a form of another page cannot claim that.
  const type = c.req.header("content-type");
  if (type !== undefined && !/^application\/json\s*(;|$)/i.test(type)) {
    const named = type.slice(0, 60);
    throw new HttpError(
      "unsupported_media_type",
      `Cannot read "${named}": send Content-Type: application/json.`,
    );
  }
  const length = c.req.header("content-length");
  if (length !== undefined && Number(length) > http_limits.json_bytes_max) refuse();
  if (c.req.header("transfer-encoding") === undefined || c.req.raw.body === null) return;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let count_bytes = 0;
  for await (const chunk of c.req.raw.body) {
    count_bytes += chunk.length;
    if (count_bytes > http_limits.json_bytes_max) refuse();
    chunks.push(chunk);
  }
  // The framework keeps promises here (its types say otherwise) and makes every other form of the body from them.
  Object.assign(c.req.bodyCache, { text: new Blob(chunks).text() });
}
