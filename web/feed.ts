// What one stream has told this page: captions in order, the words being spoken, samples of its numbers.
// Pure functions over frozen-in-spirit values; must not know sockets or components.
import type { CaptionMessage, StreamStats } from "../src/wire/mod.ts";

export const feed_limits = {
  /** Captions kept contiguous up to the newest, for the feed. */
  captions: 2_000,
  /** Captions kept for the timeline, from any part of the past. */
  marks: 6_000,
  /** Samples of the numbers; beyond it the older half is thinned, so an hour and a day both fit. */
  samples: 2_400,
} as const;

export interface Speaking {
  tick: number;
  t_media_ms: number;
  text: string;
}

/** One reading of a stream's numbers, once per second. */
export interface Sample {
  at_ms: number;
  p_speak: number | null;
  caption_age_p50_ms: number | null;
  step_p50_ms: number | null;
  state_bytes: number;
}

export interface Feed {
  /** Ascending by seq, without duplicates. */
  captions: readonly CaptionMessage[];
  /** Ascending by seq, without duplicates, possibly with holes. */
  marks: readonly CaptionMessage[];
  speaking: Speaking | undefined;
  samples: readonly Sample[];
  /** When something was last reported as dropped, to light up its arrow. */
  dropped_at_ms: number | undefined;
}

export const empty_feed: Feed = {
  captions: [],
  marks: [],
  speaking: undefined,
  samples: [],
  dropped_at_ms: undefined,
};

export function newestSeq(feed: Feed | undefined): number {
  return feed?.captions.at(-1)?.seq ?? 0;
}

/** A caption that came live. One that is already here changes nothing. */
export function addCaption(feed: Feed, caption: CaptionMessage): Feed {
  if (caption.seq <= newestSeq(feed)) return feed;
  return {
    ...feed,
    captions: [...feed.captions, caption].slice(-feed_limits.captions),
    marks: mergeBySeq(feed.marks, [caption]).slice(-feed_limits.marks),
    speaking: undefined,
  };
}

/** Captions loaded from the log: older ones of the feed. */
export function addOlder(feed: Feed, older: readonly CaptionMessage[]): Feed {
  return {
    ...feed,
    captions: mergeBySeq(feed.captions, older).slice(-feed_limits.captions),
    marks: mergeBySeq(feed.marks, older).slice(-feed_limits.marks),
  };
}

/** Captions of a stretch of the past, for the timeline only. */
export function addMarks(feed: Feed, marks: readonly CaptionMessage[]): Feed {
  return { ...feed, marks: mergeBySeq(feed.marks, marks).slice(-feed_limits.marks) };
}

export function addSample(feed: Feed, stats: StreamStats, at_ms: number): Feed {
  const sample: Sample = {
    at_ms,
    p_speak: stats.p_speak,
    caption_age_p50_ms: stats.caption_age_p50_ms,
    step_p50_ms: stats.step_p50_ms,
    state_bytes: stats.state_bytes,
  };
  return { ...feed, samples: thinSamples([...feed.samples, sample]) };
}

/** Over the limit, pairs of the older half become one: the one with the higher p_speak, so that peaks stay. */
export function thinSamples(
  samples: readonly Sample[],
  limit: number = feed_limits.samples,
): readonly Sample[] {
  if (samples.length <= limit) return samples;
  const half = Math.floor(samples.length / 4) * 2;
  const thinned: Sample[] = [];
  for (let i = 0; i < half; i += 2) {
    const [a, b] = [samples[i], samples[i + 1]];
    thinned.push((b.p_speak ?? -1) > (a.p_speak ?? -1) ? b : a);
  }
  return [...thinned, ...samples.slice(half)];
}

/** Two ascending lists as one; of equal numbers the second list's caption stays. */
export function mergeBySeq(
  ours: readonly CaptionMessage[],
  theirs: readonly CaptionMessage[],
): readonly CaptionMessage[] {
  if (theirs.length === 0) return ours;
  const first_theirs = theirs[0].seq;
  if (ours.length === 0 || ours[ours.length - 1].seq < first_theirs) return [...ours, ...theirs];
  const by_seq = new Map<number, CaptionMessage>();
  for (const caption of [...ours, ...theirs]) by_seq.set(caption.seq, caption);
  return [...by_seq.values()].sort((a, b) => a.seq - b.seq);
}
