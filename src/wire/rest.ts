// Bodies of the REST answers that are not one thing but a list, and of the login. The paths are in src/http.
// Runs in browser and server; must not know the rest of the repository.
import { z } from "zod";
import { answer_schema, caption_schema, snapshot_schema } from "./caption.ts";
import { wire_limits } from "./limits.ts";
import { stream_view_schema } from "./stream.ts";

/** GET /api/v1/streams */
export const stream_list_schema = z.object({ streams: z.array(stream_view_schema) });

/** GET /api/v1/streams/{id}/captions */
export const caption_list_schema = z.object({
  captions: z.array(caption_schema),
  /** Newest number of the stream, whatever the query left out. */
  last_seq: z.number().int(),
});

/** An answer as it is kept: the captions that back it are found by its time. */
export const kept_answer_schema = answer_schema.omit({ evidence: true });

/** GET /api/v1/streams/{id}/answers, newest first. */
export const answer_list_schema = z.object({ answers: z.array(kept_answer_schema) });

/** GET /api/v1/streams/{id}/snapshots, newest first. */
export const snapshot_list_schema = z.object({ snapshots: z.array(snapshot_schema) });

/** POST /api/v1/session */
export const login_schema = z.strictObject({ token: z.string().min(1).max(wire_limits.token_chars_max) });

/** GET /api/v1/session: whether this server wants a token, and whether this browser has shown it. */
export const session_schema = z.object({ required: z.boolean(), signed_in: z.boolean() });

export type StreamList = z.infer<typeof stream_list_schema>;
export type CaptionList = z.infer<typeof caption_list_schema>;
export type KeptAnswer = z.infer<typeof kept_answer_schema>;
export type AnswerList = z.infer<typeof answer_list_schema>;
export type SnapshotList = z.infer<typeof snapshot_list_schema>;
export type Session = z.infer<typeof session_schema>;
