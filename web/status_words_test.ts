import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { sampleStream } from "./dev/samples.ts";
import { flowOf, uncounted } from "./flow_numbers.ts";
import { phaseWords, probeWords, statusLine } from "./status_words.ts";

describe("statusLine", () => {
  it("gives the reason, or how long it has been so", () => {
    expect(statusLine(sampleStream(), 91_000)).toBe("Live for 1 min 30 s");
    expect(statusLine(sampleStream({ status: "stalled", reason: "no frames" }), 91_000)).toBe(
      "Stalled: no frames",
    );
    expect(statusLine(sampleStream({ paused: true }), 0)).toContain("kept");
  });
});

describe("phaseWords", () => {
  it("counts down to the next try", () => {
    const waiting = { kind: "waiting", retry_at_ms: 5_000, reason: "" } as const;
    expect(phaseWords(waiting, 2_100).word).toBe("Reconnecting in 3 s");
    expect(phaseWords(waiting, 9_000).word).toBe("Reconnecting");
  });
});

describe("probeWords", () => {
  it("says what was seen, or why nothing was", () => {
    const seen = { ok: true, reason: "", width_px: 1280, height_px: 720, codec: "h264", first_frame_ms: 820 };
    expect(probeWords(seen)).toBe("It works: 1280 × 720 h264, first picture after 0.8 s.");
    expect(probeWords({ ok: false, reason: "connection refused." })).toBe(
      "It does not open: connection refused.",
    );
  });
});

describe("flowOf", () => {
  it("shows every loss on one arrow", () => {
    const { stats } = sampleStream();
    const drops = { mailbox: 5, still: 2, failed: 1, novelty: 3, empty: 1, refused: 4 };
    const counted = { ...stats, frames_offered: 19, frames_fed: 10, drops };
    const stages = flowOf(counted, { vectors_per_frame: 16, viewer_skipped: 6 });
    expect(stages.map((stage) => stage.name)).toEqual([
      "Source",
      "Mailbox",
      "Vision",
      "State",
      "Captions",
      "Viewers",
    ]);
    const losses = stages.map((stage) => stage.losses?.reduce((sum, loss) => sum + loss.count, 0));
    expect(losses).toEqual([4, 7, 1, 3, 6, undefined]);
    expect(uncounted(counted)).toBe(1);
  });
});
