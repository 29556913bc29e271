// /ws/publish?stream=ID: one hello as text, then binary media under credits. The header of a binary message is in
// push_header.ts. Runs in browser and server; must not know the rest of the repository.
import { z } from "zod";
import { error_schema } from "./error.ts";
import { stream_id_schema } from "./stream.ts";

export const push_formats = ["jpeg", "h264", "webm"] as const;

export const publisher_message_schema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("publish"), format: z.enum(push_formats) }),
  z.strictObject({ type: z.literal("end") }),
]);

export const publish_reply_schema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("accepted"), v: z.literal(1), stream: stream_id_schema }),
  /** The sender may send this many more binary messages. Without credit it must drop locally. */
  z.object({ type: z.literal("credit"), messages: z.number().int() }),
  z.object({ type: z.literal("refused"), error: error_schema }),
  z.object({ type: z.literal("goaway"), reason: z.string() }),
]);

export type PushFormat = (typeof push_formats)[number];
export type PublisherMessage = z.infer<typeof publisher_message_schema>;
export type PublishReply = z.infer<typeof publish_reply_schema>;
