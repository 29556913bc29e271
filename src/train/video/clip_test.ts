import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { next_vector, no_target } from "../stream/sequence.ts";
import { stream_defaults } from "../stream/stage.ts";
import { readCues } from "./captions.ts";
import { type ClipWords, cutWindows, makeClip, sequenceOf, type VideoClip } from "./clip.ts";
import { VideoStage } from "./video_stage.ts";

/** Letters are their codes; vectors of a tick are its number. */
const words: ClipWords = {
  ...{ silence: 1, turn_end: [2, 3], preamble: [7] },
  encode: (text) => [...text].map((letter) => letter.charCodeAt(0)),
  question: (text) => [..."Q" + text + ":"].map((letter) => letter.charCodeAt(0)),
  mark: (t_media_ms) => [1000 + t_media_ms / 500],
};
const ticks = (count: number, still: (tick: number) => boolean = () => false): VideoClip["ticks"] => ({
  count,
  still: Array.from({ length: count }, (_, tick) => still(tick)),
  read: (some) => Float32Array.from(some.flatMap((tick) => [tick, tick])),
});
const clipOf = (count: number, still?: (tick: number) => boolean) =>
  makeClip(
    {
      captions: [{ t: 1.2, text: "a" }, { t: 1.4, text: "b" }, { t: 99, text: "late" }],
      questions: [{ t: 2.2, question: "q", answer: "r" }],
    },
    ticks(count, still),
    2,
  );
const everything = { positions_max: Infinity, ticks_max: Infinity, ticks_min: undefined };

describe("a video clip", () => {
  it("tells a line at the first frame behind it, and leaves out what comes after the end", () => {
    const { clip, late } = clipOf(6);
    expect([...clip.lines]).toEqual([[3, "a b"]]);
    expect([...clip.questions.keys()]).toEqual([4]);
    expect(late).toBe(1);
  });

  it("tells it at the next frame that the service feeds, unless that comes too late", () => {
    const told = (still: (tick: number) => boolean) => [...clipOf(9, still).clip.lines.keys()];
    expect(told((tick) => tick === 3 || tick === 4)).toEqual([5]);
    expect(told((tick) => tick >= 3 && tick < 8)).toEqual([3]);
  });

  it("feeds what the service feeds: preamble, marks, vectors, lines with their end, no silence", () => {
    const { clip } = clipOf(5, (tick) => tick === 1 || tick >= 3);
    const [window] = cutWindows(clip, words, 2, everything);
    const { tokens, targets, ticks } = sequenceOf(window!, words, 2);
    const codes = (text: string) => words.encode(text);
    // Tick 1 is still; so is tick 3, but something is said there, and asked at tick 4.
    expect(ticks).toEqual([0, 2, 3, 4]);
    const frame = (t_s: number) => [1000 + 2 * t_s, next_vector, next_vector];
    const line = [...codes(" a b"), 2, 3], answer = [...codes(" r"), 2, 3];
    expect(tokens).toEqual([
      ...[7, ...frame(0), ...frame(1), ...frame(1.5), ...line],
      ...[...frame(2), ...codes("Qq:"), ...answer],
    ]);
    const quiet = [no_target, no_target, 1];
    expect(targets).toEqual([
      ...[no_target, ...quiet, ...quiet, no_target, no_target, ...line, no_target],
      ...[...quiet, no_target, no_target, ...answer, no_target],
    ]);
  });

  it("is cut into windows that are all of it, behind a question where that is asked for", () => {
    const { clip } = clipOf(12);
    const spans = (rule: Parameters<typeof cutWindows>[3]) =>
      cutWindows(clip, words, 2, rule).map(({ from, until }) => [from, until]);
    expect(spans(everything)).toEqual([[0, 12]]);
    expect(spans({ ...everything, ticks_max: 5 })).toEqual([[0, 5], [5, 10], [10, 12]]);
    expect(spans({ ...everything, ticks_max: 8, ticks_min: 3 })).toEqual([[0, 5], [5, 12]]);
    const short = cutWindows(clip, words, 2, { ...everything, positions_max: 20 });
    for (const window of short) expect(sequenceOf(window, words, 2).length).toBeLessThanOrEqual(20);
    expect(short.flatMap(({ from, until }) => Array.from({ length: until - from }, (_, at) => from + at)))
      .toEqual(Array.from({ length: 12 }, (_, tick) => tick));
  });
});

describe("the stage of videos", () => {
  const stageOf = (carried_segments: number) =>
    new VideoStage({
      ...{ clips: [clipOf(12).clip, clipOf(4).clip], words, vectors: 2, width: 1, seed: 1, rows: 2 },
      ...{ ticks_min: 3, ticks_max: 8, carried_segments, carried_positions: 10, weight_decay: 0 },
      ...{ weights: stream_defaults.weights, freeze_emb: false, settings: {}, numbers: {} },
      parameters: () => Promise.reject(new Error("not asked")),
    });

  it("carries a window through its segments, and begins the next with a fresh state", async () => {
    const stage = stageOf(100);
    const tokens: number[] = [], resets: number[] = [], vectors: number[] = [];
    for (let step = 0; step < 9; step++) {
      const batch = await stage.batch(step);
      tokens.push(...batch.tokens!.data.subarray(0, 10));
      resets.push(batch.reset!.data[0]!);
      const taken = (row: number) =>
        batch.tokens!.data.subarray(10 * row, 10 * row + 10).filter((token) => token === next_vector).length;
      expect(batch.vectors!.dims).toEqual([taken(0) + taken(1), 1]);
      vectors.push(...batch.vectors!.data.subarray(0, taken(0)));
    }
    // Both windows in the order of this row, each filled up to whole segments.
    const whole = stage.windows.map((window) => sequenceOf(window, words, 2));
    const [first, second] = tokens.slice(0, 60).indexOf(7, 1) < 35
      ? [whole[1]!, whole[0]!]
      : [whole[0]!, whole[1]!];
    const begins = Math.ceil(first.length / 10) * 10;
    expect(tokens.slice(0, first.length)).toEqual(first.tokens);
    expect(tokens.slice(first.length, begins).every((token) => token === next_vector)).toBe(true);
    expect(tokens.slice(begins, begins + second.length)).toEqual(second.tokens);
    expect(resets.flatMap((reset, step) => reset === 1 ? [step] : []).slice(0, 2)).toEqual([0, begins / 10]);
    expect(vectors.slice(0, 2 * first.ticks.length)).toEqual(first.ticks.flatMap((tick) => [tick, tick]));
  });

  it("takes every window once a pass, and the same one for the same step", async () => {
    const stage = stageOf(0), again = stageOf(0);
    const count = stage.windows.length;
    const seen = new Set<string>();
    for (let step = 0; step < count; step++) {
      const batch = await stage.batch(step);
      expect(batch).toEqual(await again.batch(step));
      const { dims: [, length], data } = batch.tokens!;
      seen.add(String([...data.subarray(0, length)].filter((token) => token !== -2)));
    }
    expect(seen.size).toBe(count);
  });
});

describe("a file of captions", () => {
  it("is read as WebVTT and as SubRip", () => {
    const vtt =
      "\uFEFFWEBVTT\n\nNOTE hm\n\nx1\n00:01.250 --> 00:02.000 align:left\n<v Ann>one &amp;\ntwo</v>\n\n";
    expect(readCues(vtt)).toEqual([{ t: 1.25, text: "one & two" }]);
    const srt =
      "2\r\n01:00:02,500 --> 01:00:04,000\r\nlater\r\n\r\n1\r\n00:00:01,000 --> 00:00:02,000\r\n<i>first</i>\r\n";
    expect(readCues(srt)).toEqual([{ t: 1, text: "first" }, { t: 3602.5, text: "later" }]);
    expect(readCues("no times here")).toMatch(/no cue/);
  });
});
