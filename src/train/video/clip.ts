// A video with its lines and questions on the ticks at which a narrator could say them, and parts of it as training sequences.
// Must not know files of data, towers or batches.
import { Sequence, type TickWords } from "../stream/sequence.ts";
import { told_within_s } from "../stream/telling.ts";
import type { TickFile } from "./tick_file.ts";
import type { TimedQuestion, VideoRow } from "./row.ts";

export interface ClipWords extends TickWords {
  /** Fed to a fresh state. */
  preamble: readonly number[];
  /** Fed before the vectors of a tick. */
  mark(t_media_ms: number): readonly number[];
}

export interface VideoClip {
  ticks: Pick<TickFile, "count" | "still" | "read">;
  rate_hz: number;
  /** By tick. */
  lines: ReadonlyMap<number, string>;
  questions: ReadonlyMap<number, readonly TimedQuestion[]>;
}

/** From one tick up to another, that one left out. */
export interface Window {
  clip: VideoClip;
  from: number;
  until: number;
}

/** `late`: what stands behind the end of the video, and is left out. */
export function makeClip(
  { captions, questions }: Pick<VideoRow, "captions" | "questions">,
  ticks: VideoClip["ticks"],
  rate_hz: number,
): { clip: VideoClip; late: number } {
  const lines = new Map<number, string>(), asked = new Map<number, TimedQuestion[]>();
  const end_s = ticks.count / rate_hz;
  const last = ticks.count - 1;
  let late = 0;
  for (const { t, text } of captions) {
    if (t > end_s) late++;
    else {
      const tick = tellingTick(ticks, Math.min(last, Math.ceil(t * rate_hz - 1e-6)), rate_hz);
      const there = lines.get(tick);
      lines.set(tick, there === undefined ? text : `${there} ${text}`);
    }
  }
  for (const question of questions) {
    if (question.t > end_s) late++;
    else {
      const tick = Math.min(last, Math.floor(question.t * rate_hz + 1e-6));
      asked.set(tick, [...asked.get(tick) ?? [], question]);
    }
  }
  return { clip: { ticks, rate_hz, lines, questions: asked }, late };
}

/**
 * The first frame at or after a line: before, nobody has seen what it tells. Where the service would not feed it, because the
 * picture is still, the next that it would; or, when that comes too late to tell anything, the still one.
 */
function tellingTick({ still }: VideoClip["ticks"], first: number, rate_hz: number): number {
  for (let tick = first; tick < still.length && tick <= first + told_within_s * rate_hz; tick++) {
    if (!still[tick]) return tick;
  }
  return first;
}

/** Whether a tick is fed: not where the service's gate holds it back, unless there is something to learn at it. */
export function isFed({ ticks, lines, questions }: VideoClip, tick: number, from: number): boolean {
  return tick === from || !ticks.still[tick] || lines.has(tick) || questions.has(tick);
}

/** The window as the product would feed it from a fresh state on. */
export function sequenceOf({ clip, from, until }: Window, words: ClipWords, vectors: number): Sequence {
  const sequence = new Sequence(words, vectors);
  sequence.text(words.preamble);
  for (let tick = from; tick < until; tick++) {
    if (!isFed(clip, tick, from)) continue;
    sequence.text(words.mark(tick * 1000 / clip.rate_hz));
    sequence.tick(tick, clip.lines.get(tick));
    for (const { question, answer } of clip.questions.get(tick) ?? []) {
      sequence.question({ text: question, answer });
    }
  }
  return sequence;
}

export interface CutRule {
  /** A window is closed when it has so many positions … */
  positions_max: number;
  /** … or so many fed ticks, … */
  ticks_max: number;
  /** … or behind a question, once it has so many: then narration never hears of it. Undefined: questions do not close. */
  ticks_min: number | undefined;
}

/** Windows one behind the other, all of the clip. */
export function cutWindows(
  clip: VideoClip,
  words: ClipWords,
  vectors: number,
  { positions_max, ticks_max, ticks_min }: CutRule,
): Window[] {
  const windows: Window[] = [];
  let from = 0, fed = 0, positions = words.preamble.length;
  const close = (until: number) => {
    if (until > from) windows.push({ clip, from, until });
    from = until;
    fed = 0;
    positions = words.preamble.length;
  };
  for (let tick = 0; tick < clip.ticks.count; tick++) {
    if (!isFed(clip, tick, from)) continue;
    const length = sequenceOf({ clip, from: tick, until: tick + 1 }, words, vectors).length -
      words.preamble.length;
    if (fed > 0 && (positions + length > positions_max || fed >= ticks_max)) close(tick);
    fed++;
    positions += length;
    if (ticks_min !== undefined && fed >= ticks_min && clip.questions.has(tick)) close(tick + 1);
  }
  close(clip.ticks.count);
  return windows;
}
