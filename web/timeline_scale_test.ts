import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { sampleCaption, sampleSnapshot } from "./dev/samples.ts";
import {
  captionAt,
  keepInView,
  labelTimes,
  positionOf,
  snapshotFor,
  speakPath,
  stretchOf,
  timeAt,
  zoom,
} from "./timeline_scale.ts";

const now_ms = 10_000_000;
const live = { span_ms: 600_000, end_ms: undefined };

describe("timeline view", () => {
  it("ends at the present and moves with it", () => {
    expect(stretchOf(live, now_ms)).toEqual({ from_ms: now_ms - 600_000, to_ms: now_ms });
    expect(stretchOf(live, now_ms + 5).to_ms).toBe(now_ms + 5);
  });
  it("moves only for a moment outside of it", () => {
    expect(keepInView(live, now_ms - 1000, now_ms)).toBe(live);
    const old_ms = now_ms - 5_000_000;
    expect(stretchOf(keepInView(live, old_ms, now_ms), now_ms)).toEqual({
      from_ms: old_ms - 300_000,
      to_ms: old_ms + 300_000,
    });
  });
  it("returns to the present when the moment is now", () => {
    expect(keepInView({ span_ms: 600_000, end_ms: 5 }, undefined, now_ms).end_ms).toBe(undefined);
  });
  it("zooms around the moment and stops at both ends", () => {
    expect(zoom(live, 1, undefined, now_ms).span_ms).toBe(1_800_000);
    let view = zoom(live, -1, now_ms - 300_000, now_ms);
    expect(view).toEqual({ span_ms: 120_000, end_ms: now_ms - 240_000 });
    view = zoom(view, -1, undefined, now_ms);
    expect(view.span_ms).toBe(120_000);
  });
});

describe("timeline positions", () => {
  const stretch = stretchOf(live, now_ms);
  it("go both ways", () => {
    for (const t_ms of [stretch.from_ms, now_ms - 123_000, now_ms]) {
      expect(timeAt(positionOf(t_ms, stretch, 700), stretch, 700)).toBe(t_ms);
    }
    expect(timeAt(-50, stretch, 700)).toBe(stretch.from_ms);
  });
  it("label round minutes with room between", () => {
    const times = labelTimes(stretch, 700);
    expect(times.every((t_ms) => t_ms % 60_000 === 0)).toBe(true);
    expect(times.length).toBeGreaterThan(2);
    expect(times.length).toBeLessThan(9);
  });
});

describe("what answers for a moment", () => {
  it("is the newest snapshot and caption at or before it", () => {
    const snapshots = [2, 4, 6].map(sampleSnapshot);
    expect(snapshotFor(snapshots, 2500)?.tick).toBe(4);
    expect(snapshotFor(snapshots, 2000)?.tick).toBe(4);
    expect(snapshotFor(snapshots, 999)).toBe(undefined);
    expect(captionAt([1, 2, 3].map((seq) => sampleCaption(seq)), 2999)?.seq).toBe(2);
  });
});

describe("speakPath", () => {
  const sample = (at_ms: number, p_speak: number | null) => ({
    at_ms,
    p_speak,
    caption_age_p50_ms: null,
    step_p50_ms: null,
    state_bytes: 1,
  });
  const stretch = { from_ms: 0, to_ms: 100_000 };
  it("keeps the highest of a pixel and breaks at holes", () => {
    const samples = [
      sample(0, 0.1),
      sample(100, 0.5),
      sample(1000, 0),
      sample(1500, null),
      sample(60_000, 1),
    ];
    expect(speakPath(samples, stretch, { width_px: 100, height_px: 10 })).toBe("M0 5.0L1 10.0M60 0.0");
  });
});
