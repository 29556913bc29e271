// /ws/watch: JSON text both ways; pictures come as binary (see picture.ts). Unknown client messages close 4400.
// Runs in browser and server; must not know the rest of the repository.
import { z } from "zod";
import { answer_schema, ask_schema, caption_schema } from "./caption.ts";
import { error_schema } from "./error.ts";
import { wire_limits } from "./limits.ts";
import {
  drops_schema,
  source_status_schema,
  stats_schema,
  stream_id_schema,
  stream_view_schema,
} from "./stream.ts";

export const model_view_schema = z.object({
  name: z.string(),
  /**
   * stream: it lives through every tick, remembers since the stream began, and chooses when to speak. refresh: it sees
   * single pictures; what it remembers is a summary of its newest captions.
   */
  policy: z.enum(["stream", "refresh"]),
  /** False: weights were never trained, captions are noise, and the screen says so. */
  trained: z.boolean(),
  /** True: a fake engine for tests and UI work, and the screen says so. */
  fake: z.boolean(),
  limits_note: z.string(),
  device: z.string(),
  rwkv_version: z.number().int(),
  width: z.number().int(),
  layers: z.number().int(),
  vectors_per_frame: z.number().int(),
  state_bytes: z.number().int(),
  model_hash: z.string(),
});

export const server_message_schema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("hello"),
    v: z.literal(1),
    version: z.string(),
    model: model_view_schema,
    streams: z.array(stream_view_schema),
  }),
  /** A stream was added or its settings or status changed. */
  z.object({ type: z.literal("stream.changed"), stream: stream_view_schema }),
  z.object({ type: z.literal("stream.removed"), stream: stream_id_schema }),
  z.object({
    type: z.literal("stream.status"),
    stream: stream_id_schema,
    status: source_status_schema,
    reason: z.string(),
    since_ms: z.number(),
  }),
  /** Text so far of the caption being spoken; may be skipped for a slow viewer. Empty: withdrawn, it
   * became no caption. */
  z.object({
    type: z.literal("caption.delta"),
    stream: stream_id_schema,
    tick: z.number().int(),
    t_media_ms: z.number(),
    text: z.string(),
  }),
  z.object({ type: z.literal("caption.final"), caption: caption_schema }),
  z.object({ type: z.literal("answer.delta"), id: z.string(), text: z.string() }),
  z.object({ type: z.literal("answer.done"), id: z.string(), answer: answer_schema }),
  z.object({ type: z.literal("answer.failed"), id: z.string(), error: error_schema }),
  /** Once per second and stream: the numbers that prove the claims. */
  z.object({ type: z.literal("stats"), stream: stream_id_schema, stats: stats_schema }),
  /** Something was dropped since the last report. */
  z.object({ type: z.literal("drop.report"), stream: stream_id_schema, drops: drops_schema }),
  /** This viewer was too slow and missed `skipped` deltas or pictures; finals are never among them. */
  z.object({ type: z.literal("viewer.skipped"), skipped: z.number().int() }),
  z.object({ type: z.literal("goaway"), deadline_ms: z.number(), reason: z.string() }),
  z.object({ type: z.literal("error"), error: error_schema }),
  z.object({ type: z.literal("pong") }),
]);

export const client_message_schema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("sub"),
    stream: stream_id_schema,
    /** Resume: send every caption after this number first. Without it the newest 50. */
    after_seq: z.number().int().min(0).optional(),
    pictures: z.boolean().default(false),
  }),
  z.strictObject({ type: z.literal("unsub"), stream: stream_id_schema }),
  z.strictObject({
    type: z.literal("ask"),
    /** Chosen by the client; comes back in every answer message. */
    id: z.string().min(1).max(wire_limits.ask_id_chars_max),
    stream: stream_id_schema,
    question: ask_schema.shape.question,
    at: ask_schema.shape.at,
    deadline_ms: ask_schema.shape.deadline_ms,
  }),
  z.strictObject({ type: z.literal("cancel"), id: z.string().min(1).max(wire_limits.ask_id_chars_max) }),
  z.strictObject({ type: z.literal("ping") }),
]);

export type ServerMessage = z.infer<typeof server_message_schema>;
export type ClientMessage = z.infer<typeof client_message_schema>;
export type ModelView = z.infer<typeof model_view_schema>;
