// Bodies of requests: JSON and nothing else, of a bounded length, announced or not. Chats may carry pictures, so theirs
// may be long; all long ones together are bounded, too. Must not know what is in them.
import type { Context } from "hono";
import { CapacityError } from "../errors.ts";
import { HttpError } from "./http_error.ts";
import { http_limits } from "./limits.ts";

/** Counts the bytes of long bodies that are being read or answered. One per server. */
export class LongBodies {
  #bytes = 0;

  /** Throws CapacityError questions_full. The answer gives the bytes back, once. */
  take(bytes: number): () => void {
    if (this.#bytes + bytes > http_limits.long_bodies_bytes_max) {
      throw new CapacityError(
        "questions_full",
        "Cannot read the body: too many long ones are being answered.",
      );
    }
    this.#bytes += bytes;
    let held = true;
    return () => {
      if (held) this.#bytes -= bytes;
      held = false;
    };
  }
}

function refuse(bytes_max: number): never {
  throw new HttpError("too_large", `Cannot read the body: more than ${bytes_max} bytes came.`);
}

/**
 * Throws unsupported_media_type, too_large or questions_full. A body of unknown length is read here, up to the bound.
 * The answer is to be called when the request was answered.
 */
export async function checkBody(c: Context, bytes_max: number, long_bodies: LongBodies): Promise<() => void> {
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
  if (length !== undefined && Number(length) > bytes_max) refuse(bytes_max);
  const unknown = c.req.header("transfer-encoding") !== undefined && c.req.raw.body !== null;
  const may_come = unknown ? bytes_max : Number(length ?? 0);
  const leave = may_come > http_limits.json_bytes_max ? long_bodies.take(may_come) : () => {};
  try {
    if (unknown) await readBody(c, bytes_max);
    return leave;
  } catch (error) {
    leave();
    throw error;
  }
}

async function readBody(c: Context, bytes_max: number): Promise<void> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let count_bytes = 0;
  for await (const chunk of c.req.raw.body!) {
    count_bytes += chunk.length;
    if (count_bytes > bytes_max) refuse(bytes_max);
    chunks.push(chunk);
  }
  // The framework keeps promises here (its types say otherwise) and makes every other form of the body from them.
  Object.assign(c.req.bodyCache, { text: new Blob(chunks).text() });
}
