import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { Counters } from "./counters.ts";

describe("Counters", () => {
  it("begin at nothing", () => {
    const counters = new Counters();
    expect(counters.drops()).toEqual({ mailbox: 0, still: 0, failed: 0, novelty: 0, empty: 0, refused: 0 });
    expect([counters.p_speak, counters.step_ms.percentile(0.5)]).toEqual([null, null]);
  });

  it("count a tick as a frame fed, with its P(speak) and how long it took", () => {
    const counters = new Counters();
    counters.noteTick(0.25, 40);
    counters.noteTick(0.75, 60);
    counters.noteCaption(120);
    const { ticks, frames_fed, captions, p_speak } = counters;
    expect({ ticks, frames_fed, captions, p_speak }).toEqual({
      ticks: 2,
      frames_fed: 2,
      captions: 1,
      p_speak: 0.75,
    });
    expect([counters.step_ms.percentile(1), counters.caption_age_ms.percentile(0.5)]).toEqual([60, 120]);
  });

  it("every frame lost before it was fed is in `mailbox`, `still` or `failed`", () => {
    const counters = new Counters();
    counters.mailbox = 1;
    counters.same_tick = 2;
    counters.failed = 4;
    counters.still = 8;
    expect(counters.drops()).toMatchObject({ mailbox: 3, still: 8, failed: 4 });
  });

  it("news tells a number once", () => {
    const counters = new Counters();
    expect(counters.news(counters.drops())).toBeDefined();
    expect(counters.news(counters.drops())).toBeUndefined();
    counters.novelty++;
    expect(counters.news(counters.drops())).toMatchObject({ novelty: 1 });
    expect(counters.news(counters.drops())).toBeUndefined();
  });
});
