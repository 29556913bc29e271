// Captions, questions, answers and snapshots as they cross the network.
// Runs in browser and server; must not know the rest of the repository.
import { z } from "zod";
import { wire_limits } from "./limits.ts";
import { stream_id_schema } from "./stream.ts";

export const caption_schema = z.object({
  stream: stream_id_schema,
  /** 1, 2, 3 … per stream without gaps: the number to resume from. */
  seq: z.number().int(),
  tick: z.number().int(),
  t_media_ms: z.number(),
  /** RFC 3339 wall clock of the frame spoken about. */
  t_wall: z.string(),
  text: z.string(),
  /** How sure the model was that it should speak. 1 with policy "refresh": there it is told to. */
  p_speak: z.number(),
  caption_age_ms: z.number(),
});

export const caption_query_schema = z.object({
  after_seq: z.coerce.number().int().min(0).optional(),
  /** Wall clock, RFC 3339. */
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
  /** Full-text search words. */
  q: z.string().max(wire_limits.search_chars_max).optional(),
  limit: z.coerce.number().int().min(1).max(wire_limits.captions_max).default(200),
  order: z.enum(["oldest", "newest"]).default("oldest"),
});

/**
 * The moment a question is about: "now", an RFC 3339 time, a snapshot ("tick:1234") or media time ("media:90000",
 * milliseconds). A past moment is answered from the newest snapshot at or before it.
 */
export const moment_schema = z.union([
  z.literal("now"),
  z.iso.datetime({ offset: true }),
  z.string().regex(/^(tick|media):\d{1,15}$/),
]);

export const ask_schema = z.strictObject({
  question: z.string().trim().min(1).max(wire_limits.question_chars_max),
  at: moment_schema.default("now"),
  deadline_ms: z.number().int().min(wire_limits.question_deadline_ms_min).max(
    wire_limits.question_deadline_ms_max,
  ).optional(),
  /** Answer as server-sent events instead of one JSON object. */
  stream: z.boolean().default(false),
});

export const answer_schema = z.object({
  id: z.string(),
  stream: stream_id_schema,
  question: z.string(),
  answer: z.string(),
  /** The tick whose memory answered, with its times: what the answer is true of. */
  tick: z.number().int(),
  t_media_ms: z.number(),
  t_wall: z.string(),
  asked_at: z.string(),
  status: z.enum(["done", "deadline", "cancelled", "failed"]),
  /** Newest captions up to that moment, so that a person can check the answer. */
  evidence: z.array(caption_schema),
});

export const snapshot_schema = z.object({
  stream: stream_id_schema,
  /** Its name, for `at: "tick:N"`. */
  tick: z.number().int(),
  seq: z.number().int(),
  t_media_ms: z.number(),
  t_wall: z.string(),
  model_hash: z.string(),
});

export type CaptionMessage = z.infer<typeof caption_schema>;
export type CaptionQueryInput = z.infer<typeof caption_query_schema>;
export type AskInput = z.infer<typeof ask_schema>;
export type AnswerMessage = z.infer<typeof answer_schema>;
export type SnapshotMessage = z.infer<typeof snapshot_schema>;
