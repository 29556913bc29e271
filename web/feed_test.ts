import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { sampleCaption } from "./dev/samples.ts";
import {
  addCaption,
  addOlder,
  empty_feed,
  feed_limits,
  mergeBySeq,
  type Sample,
  thinSamples,
} from "./feed.ts";

const seqs = (list: readonly { seq: number }[]) => list.map((caption) => caption.seq);
const sample = (at_ms: number, p_speak: number | null): Sample => ({
  at_ms,
  p_speak,
  caption_age_p50_ms: null,
  step_p50_ms: null,
  state_bytes: 1,
});

describe("addCaption", () => {
  it("keeps order, drops repeats, ends the spoken words", () => {
    const speaking = { ...empty_feed, speaking: { tick: 1, t_media_ms: 0, text: "a cat" } };
    const one = addCaption(speaking, sampleCaption(7));
    expect(one.speaking).toBe(undefined);
    expect(addCaption(one, sampleCaption(7))).toBe(one);
    expect(addCaption(one, sampleCaption(3))).toBe(one);
    expect(seqs(addCaption(one, sampleCaption(8)).captions)).toEqual([7, 8]);
  });
  it("is bounded", () => {
    let feed = empty_feed;
    for (let seq = 1; seq <= feed_limits.captions + 5; seq++) feed = addCaption(feed, sampleCaption(seq));
    expect(feed.captions.length).toBe(feed_limits.captions);
    expect(feed.captions[0].seq).toBe(6);
  });
});

describe("mergeBySeq", () => {
  it("joins in order without repeats", () => {
    const ours = [2, 3, 9].map((seq) => sampleCaption(seq));
    const theirs = [1, 3, 4].map((seq) => sampleCaption(seq));
    expect(seqs(mergeBySeq(ours, theirs))).toEqual([1, 2, 3, 4, 9]);
    expect(mergeBySeq(ours, [])).toBe(ours);
  });
});

describe("addOlder", () => {
  it("puts older captions in front", () => {
    const feed = addCaption(empty_feed, sampleCaption(9));
    expect(seqs(addOlder(feed, [7, 8].map((seq) => sampleCaption(seq))).captions)).toEqual([7, 8, 9]);
  });
});

describe("thinSamples", () => {
  it("halves the older half and keeps its peaks", () => {
    const all = [0.1, 0.9, 0.3, 0.2, 0.5, 0.6, 0.7, 0.8].map((p, index) => sample(index, p));
    expect(thinSamples(all, 7).map((kept) => kept.p_speak)).toEqual([0.9, 0.3, 0.5, 0.6, 0.7, 0.8]);
  });
  it("leaves a short list alone", () => {
    const all = [sample(0, null)];
    expect(thinSamples(all, 7)).toBe(all);
  });
});
