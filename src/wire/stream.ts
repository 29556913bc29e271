// Streams as they cross the network: what a client may ask for, and what it is shown.
// Runs in browser and server; must not know the rest of the repository.
import { z } from "zod";
import { wire_limits } from "./limits.ts";

export const stream_id_schema = z.string().regex(
  /^[a-z0-9][a-z0-9_-]{0,63}$/,
  "use a-z, 0-9, - and _ (64 at most)",
);

const pull_schema = z.strictObject({
  kind: z.literal("pull"),
  /** file path, http(s), rtsp(s) or testsrc: address. Passwords in it are never shown again. */
  url: z.string().min(1).max(wire_limits.url_chars_max),
  transport: z.enum(["tcp", "udp"]).optional(),
  /** Start a recording again at its end. */
  loop: z.boolean().optional(),
});
/** Frames pushed over /ws/publish by a browser or a program. */
const push_schema = z.strictObject({ kind: z.literal("push") });

export const source_schema = z.discriminatedUnion("kind", [pull_schema, push_schema]);

/** With secrets taken out; the marks in their place may make an address longer than may be asked for. */
const source_view_schema = z.discriminatedUnion("kind", [
  pull_schema.extend({ url: z.string() }),
  push_schema,
]);

export const gates_schema = z.strictObject({
  /** Skip frames that do not differ from the last one fed. */
  change: z.boolean(),
  /** Do not publish a caption that says what a recent one said. Policy "refresh" never repeats the last, even without. */
  novelty: z.boolean(),
});

/** Only with a model of policy "refresh": it is shown one picture at a time, in a state made anew for it. */
export const refresh_schema = z.strictObject({
  /** What is asked of each picture; {summary} (of the newest captions) and {language} are filled in. */
  instruction: z.string().min(1).max(wire_limits.instruction_chars_max),
  /** BCP 47 tag of the language that captions are asked for in. */
  language: z.string().regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, "use a language tag such as en or pt-BR"),
  /** Seconds between two captions at the least. It goes before every_s. */
  cadence_s: z.number().min(wire_limits.cadence_s_min).max(wire_limits.refresh_s_max),
  /** Seconds after which the model is asked again though the picture did not change. */
  every_s: z.number().min(wire_limits.refresh_s_min).max(wire_limits.refresh_s_max),
  /** Share of the brightness range by which the picture must differ from the one asked about last. */
  change_min: z.number().min(0).max(1),
});

export const stream_spec_schema = z.strictObject({
  id: stream_id_schema.optional(),
  name: z.string().trim().min(1).max(wire_limits.name_chars_max),
  source: source_schema,
  tick_rate_hz: z.number().min(wire_limits.tick_rate_hz_min).max(wire_limits.tick_rate_hz_max).optional(),
  pace: z.enum(["live", "lossless"]).optional(),
  gates: gates_schema.partial().optional(),
  speak_threshold: z.number().min(0).max(1).optional(),
  refresh: refresh_schema.partial().optional(),
});

export const stream_patch_schema = stream_spec_schema.omit({ id: true, pace: true }).partial();

export const source_status_schema = z.enum([
  "connecting",
  "live",
  "stalled",
  "reconnecting",
  "ended",
  "denied",
]);

/**
 * Losses, by the arrow where they happen. The first three are frames, and frames_offered = frames_fed + mailbox + still
 * + failed + waiting, always; waiting are 2 at most: one in the mailbox, one in its tick. The others are not frames.
 */
export const drops_schema = z.object({
  /** Frames that a newer one replaced before the tick took them, or that fell into a tick that had one already. */
  mailbox: z.number().int(),
  /** Frames that the visual-change gate held back: nothing new to see, or, with policy "refresh", not yet. */
  still: z.number().int(),
  /** Frames whose tick failed, or that waited when one did: nothing of them was written down. */
  failed: z.number().int(),
  /** Captions that the text-novelty gate held back. */
  novelty: z.number().int(),
  /** Ticks of the media clock that had no frame. */
  empty: z.number().int(),
  /** Push messages that were not taken: without credit, out of order, too large or damaged. */
  refused: z.number().int(),
});

export const stats_schema = z.object({
  ticks: z.number().int(),
  frames_offered: z.number().int(),
  frames_fed: z.number().int(),
  captions: z.number().int(),
  /** Null before the first tick, and always with policy "refresh": such a model has no silence to choose. */
  p_speak: z.number().nullable(),
  /** 0 with policy "refresh". */
  speak_threshold: z.number(),
  caption_age_p50_ms: z.number().nullable(),
  caption_age_p95_ms: z.number().nullable(),
  step_p50_ms: z.number().nullable(),
  step_p95_ms: z.number().nullable(),
  state_bytes: z.number().int(),
  /** Media time since the stream's first frame: how much this state has lived through, or, with policy "refresh",
   * heard of. */
  memory_age_ms: z.number(),
  snapshots: z.number().int(),
  questions_active: z.number().int(),
  viewers: z.number().int(),
  drops: drops_schema,
});

export const stream_view_schema = z.object({
  id: stream_id_schema,
  name: z.string(),
  /** The address with secrets taken out. */
  source: source_view_schema,
  tick_rate_hz: z.number(),
  pace: z.enum(["live", "lossless"]),
  gates: gates_schema,
  /** Null unless the model's policy is "refresh". */
  refresh: refresh_schema.nullable(),
  paused: z.boolean(),
  status: source_status_schema,
  reason: z.string(),
  since_ms: z.number(),
  created_ms: z.number(),
  last_seq: z.number().int(),
  stats: stats_schema,
});

export const probe_schema = z.object({
  ok: z.boolean(),
  reason: z.string(),
  width_px: z.number().int().optional(),
  height_px: z.number().int().optional(),
  codec: z.string().optional(),
  first_frame_ms: z.number().optional(),
});

export type StreamSpec = z.infer<typeof stream_spec_schema>;
export type StreamPatch = z.infer<typeof stream_patch_schema>;
export type StreamView = z.infer<typeof stream_view_schema>;
export type StreamStats = z.infer<typeof stats_schema>;
export type Drops = z.infer<typeof drops_schema>;
export type Probe = z.infer<typeof probe_schema>;
export type SourceSpec = z.infer<typeof source_schema>;
