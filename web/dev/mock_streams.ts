// Made-up streams for the stand-in server: what they look like, what they say, how their numbers move.
// Deterministic words and numbers; must not know sockets.
import type { CaptionMessage, SnapshotMessage, SourceSpec, StreamView } from "../../src/wire/mod.ts";

export const state_bytes = 3_407_872;

const scenes: Record<string, readonly string[]> = {
  "front-door": [
    "A courier in a yellow jacket walks up the path with a parcel.",
    "The courier rings, waits and looks at the window.",
    "A grey cat crosses the step and sits down by the mat.",
    "The door opens; a woman takes the parcel and signs.",
    "A cyclist passes on the street, then a white van.",
    "Nobody is in view; the light of the lamp comes on.",
  ],
  "loading-dock": [
    "A forklift lifts two pallets and turns towards gate 3.",
    "Gate 3 opens; a truck backs in slowly.",
    "Two people in orange vests check the load against a list.",
    "The forklift stops: somebody walks behind it.",
  ],
};

export interface MockStream {
  view: StreamView;
  captions: CaptionMessage[];
  snapshots: SnapshotMessage[];
  /** Words being spoken and how many of them are out. */
  utterance?: { words: string[]; out_count: number; began_ms: number };
  next_ms: number;
}

export function textOf(id: string, seq: number): string {
  const lines = scenes[id] ?? ["The picture moves; a bright shape goes from left to right."];
  return lines[seq % lines.length];
}

export function makeStream(id: string, name: string, source: SourceSpec, options: {
  status?: StreamView["status"];
  reason?: string;
  age_ms?: number;
} = {}): MockStream {
  const { status = "live", reason = "", age_ms = 0 } = options;
  const created_ms = Date.now() - age_ms;
  const live = status === "live";
  const ticks = Math.round(age_ms / 500);
  const stats: StreamView["stats"] = {
    ticks,
    frames_offered: ticks * 10,
    frames_fed: ticks,
    captions: 0,
    p_speak: live ? 0.1 : null,
    speak_threshold: 0.5,
    caption_age_p50_ms: live ? 412 : null,
    caption_age_p95_ms: live ? 690 : null,
    step_p50_ms: live ? 38 : null,
    step_p95_ms: live ? 61 : null,
    state_bytes,
    memory_age_ms: age_ms,
    snapshots: 0,
    questions_active: 0,
    viewers: 1,
    drops: { mailbox: ticks * 9, still: 0, failed: 0, novelty: Math.round(ticks / 40), empty: 3, refused: 0 },
  };
  const view: StreamView = {
    id,
    name,
    source,
    tick_rate_hz: 2,
    pace: "live",
    gates: { change: true, novelty: true },
    refresh: null,
    paused: false,
    status,
    reason,
    since_ms: created_ms,
    created_ms,
    last_seq: 0,
    stats,
  };
  const stream: MockStream = { view, captions: [], snapshots: [], next_ms: Date.now() + 1_000 };
  const gap_ms = 24_000;
  for (
    let at_ms = created_ms + gap_ms;
    at_ms < Date.now() - 3_000;
    at_ms += gap_ms + (at_ms * 7919) % 9_000
  ) {
    addCaption(stream, at_ms);
  }
  for (let at_ms = Date.now() - age_ms; at_ms < Date.now(); at_ms += 60_000) addSnapshot(stream, at_ms);
  return stream;
}

export function addCaption(stream: MockStream, at_ms: number): CaptionMessage {
  const seq = ++stream.view.last_seq;
  const caption = {
    stream: stream.view.id,
    seq,
    ...whenOf(stream, at_ms),
    text: textOf(stream.view.id, seq),
    p_speak: 0.55 + (seq * 37 % 40) / 100,
    caption_age_ms: 380 + seq * 53 % 300,
  };
  stream.captions.push(caption);
  stream.view.stats = { ...stream.view.stats, captions: stream.captions.length };
  return caption;
}

export function addSnapshot(stream: MockStream, at_ms: number): void {
  stream.snapshots.push({
    stream: stream.view.id,
    seq: stream.view.last_seq,
    ...whenOf(stream, at_ms),
    model_hash: "fake",
  });
}

export function whenOf(
  { view }: MockStream,
  at_ms: number,
): { tick: number; t_media_ms: number; t_wall: string } {
  const t_media_ms = at_ms - view.created_ms;
  return { tick: Math.round(t_media_ms / 500), t_media_ms, t_wall: new Date(at_ms).toISOString() };
}

/** The numbers one second later. */
export function moveStats(stream: MockStream, now_ms: number): StreamView["stats"] {
  const { stats, status, paused } = stream.view;
  if (status !== "live" || paused) return stats;
  const wave = 0.16 + 0.1 * Math.sin(now_ms / 7_000) + 0.05 * Math.sin(now_ms / 900);
  const near = Math.max(0, 1 - Math.abs(now_ms - stream.next_ms) / 2_500) * 0.62;
  return {
    ...stats,
    ticks: stats.ticks + 2,
    frames_offered: stats.frames_offered + 20,
    frames_fed: stats.frames_fed + 2,
    p_speak: stream.utterance ? 0.86 : Math.min(0.95, wave + near),
    caption_age_p50_ms: 405 + 20 * Math.sin(now_ms / 11_000),
    step_p50_ms: 37 + 3 * Math.sin(now_ms / 5_000),
    memory_age_ms: now_ms - stream.view.created_ms,
    snapshots: stream.snapshots.length,
    drops: { ...stats.drops, mailbox: stats.drops.mailbox + 18 },
  };
}

export function mockStreams(): MockStream[] {
  const hour_ms = 3_600_000;
  return [
    makeStream("front-door", "Front door", { kind: "pull", url: "rtsp://door.local:554/…" }, {
      age_ms: 2.2 * hour_ms,
    }),
    makeStream("loading-dock", "Loading dock", { kind: "pull", url: "https://cams.example.org/…" }, {
      age_ms: hour_ms / 2,
    }),
    makeStream("back-yard", "Back yard", { kind: "pull", url: "rtsp://yard.local:554/…" }, {
      status: "reconnecting",
      reason: "connection refused by yard.local:554; trying again in 12 s",
      age_ms: hour_ms / 10,
    }),
  ];
}
