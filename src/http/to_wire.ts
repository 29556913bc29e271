// Domain to wire and back: milliseconds become RFC 3339, a moment's text becomes a Moment. Pure.
import type { AnswerRecord, Caption, CaptionQuery, SnapshotHead } from "../pipeline/ports.ts";
import type { Answered, Moment } from "../pipeline/surface.ts";
import type {
  AnswerMessage,
  CaptionMessage,
  CaptionQueryInput,
  KeptAnswer,
  SnapshotMessage,
} from "../wire/mod.ts";

/** The RFC 3339 form of milliseconds since the epoch; out of Date's range becomes the epoch. */
export function timeText(t_wall_ms: number): string {
  const date = new Date(t_wall_ms);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}

export function captionMessage({ t_wall_ms, ...caption }: Caption): CaptionMessage {
  return { ...caption, t_wall: timeText(t_wall_ms) };
}

export function keptAnswer(record: AnswerRecord): KeptAnswer {
  const { id, stream, question, answer, tick, t_media_ms, t_wall_ms, asked_at_ms, status } = record;
  return {
    id,
    stream,
    question,
    answer,
    tick,
    t_media_ms,
    t_wall: timeText(t_wall_ms),
    asked_at: timeText(asked_at_ms),
    status,
  };
}

export function answerMessage(answered: Answered): AnswerMessage {
  return { ...keptAnswer(answered), evidence: answered.evidence.map(captionMessage) };
}

export function snapshotMessage(head: SnapshotHead): SnapshotMessage {
  const { stream, tick, seq, t_media_ms, t_wall_ms, model_hash } = head;
  return { stream, tick, seq, t_media_ms, t_wall: timeText(t_wall_ms), model_hash };
}

/** The text has passed moment_schema. */
export function readMoment(at: string): Moment {
  if (at === "now") return { kind: "now" };
  if (at.startsWith("tick:")) return { kind: "tick", tick: Number(at.slice(5)) };
  if (at.startsWith("media:")) return { kind: "media", t_media_ms: Number(at.slice(6)) };
  return { kind: "wall", t_wall_ms: Date.parse(at) };
}

export function captionQuery(input: CaptionQueryInput): CaptionQuery {
  return {
    after_seq: input.after_seq,
    from_ms: input.from === undefined ? undefined : Date.parse(input.from),
    to_ms: input.to === undefined ? undefined : Date.parse(input.to),
    text: input.q?.trim() || undefined,
    limit: input.limit,
    newest_first: input.order === "newest",
  };
}
