import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { hold } from "../../tests/flow/pipeline_law.ts";
import { snapshots_max, thinSnapshots } from "./ladder.ts";
import { limits } from "./limits.ts";

interface Snapshot {
  tick: number;
  t_media_ms: number;
}

/**
 * Media time between snapshots: the cadence of a live stream, an accelerated recording (minutes between two), questions
 * that take one early, gaps of hours and of days. Runs of the same step, because a ladder fills up only in long runs.
 */
const step_ms = fc.oneof(
  { weight: 6, arbitrary: fc.constant(1_000) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 3_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 10_000, max: 400_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1_000_000, max: 100_000_000 }) },
);
const long_run = fc.record({ step_ms: fc.constant(1_000), count: fc.integer({ min: 600, max: 900 }) });
const short_run = fc.record({ step_ms, count: fc.integer({ min: 1, max: 90 }) });
const runs = fc.array(fc.oneof({ weight: 1, arbitrary: long_run }, { weight: 3, arbitrary: short_run }), {
  minLength: 1,
  maxLength: 6,
});
const timeline = runs.map((runs) => {
  const snapshots: Snapshot[] = [];
  let t_media_ms = 0;
  for (const run of runs) {
    for (let count = 0; count < run.count; count++) {
      t_media_ms += run.step_ms;
      snapshots.push({ tick: snapshots.length + 1, t_media_ms });
    }
  }
  return snapshots;
});

function thin(snapshots: Snapshot[]): Snapshot[] {
  const dropped = new Set(thinSnapshots(snapshots));
  return snapshots.filter(({ tick }) => !dropped.has(tick));
}

/** As a stream does it: thinned after every snapshot. */
function thinAsTheyCome(snapshots: Snapshot[], check?: (kept: Snapshot[]) => void): Snapshot[] {
  let kept: Snapshot[] = [];
  for (const snapshot of snapshots) {
    kept = thin([...kept, snapshot]);
    check?.(kept);
  }
  return kept;
}

function rungOf(age_ms: number) {
  return limits.snapshot_ladder.find((rung) => age_ms <= rung.age_ms);
}

describe("thinSnapshots", () => {
  it("keeps nothing of nothing", () => {
    expect(thinSnapshots([])).toEqual([]);
  });

  it("never leaves more than snapshots_max, and always the newest two", async () => {
    await hold(10, timeline, (snapshots) => {
      let seen = 0;
      thinAsTheyCome(snapshots, (kept) => {
        seen++;
        expect(kept.length).toBeLessThanOrEqual(snapshots_max);
        expect(kept.slice(-2)).toEqual(snapshots.slice(Math.max(0, seen - 2), seen));
      });
    });
  });

  it("thinning after every snapshot keeps what thinning once keeps: nothing drifts", async () => {
    await hold(10, timeline, (snapshots) => {
      expect(thinAsTheyCome(snapshots)).toEqual(thin(snapshots));
    });
  });

  it("thinning twice is thinning once", async () => {
    await hold(10, timeline, (snapshots) => {
      const kept = thin(snapshots);
      expect(thin(kept)).toEqual(kept);
    });
  });

  it("does not depend on the order they are listed in", async () => {
    await hold(10, timeline, (snapshots) => {
      expect([...thinSnapshots(snapshots.toReversed())].sort()).toEqual([...thinSnapshots(snapshots)].sort());
    });
  });

  it("holds every rung's density: near each snapshot ever taken one is left, no later than it", async () => {
    await hold(10, timeline, (snapshots) => {
      const kept = thinAsTheyCome(snapshots);
      const now_ms = snapshots.at(-1)!.t_media_ms;
      const oldest_rung = limits.snapshot_ladder.at(-1)!;
      for (const { t_media_ms } of snapshots) {
        // One whose whole slot is over the end of the ladder may be gone without a trace.
        if (now_ms - t_media_ms > oldest_rung.age_ms - oldest_rung.every_ms) continue;
        const before = kept.findLast((one) => one.t_media_ms <= t_media_ms);
        expect(before).toBeDefined();
        const rung = rungOf(now_ms - before!.t_media_ms)!;
        expect(t_media_ms - before!.t_media_ms).toBeLessThan(rung.every_ms);
      }
    });
  });

  it("forgets what is older than the last rung", () => {
    const age_ms = limits.snapshot_ladder.at(-1)!.age_ms;
    const snapshots = [0, 1, age_ms, age_ms + 1_000].map((t_media_ms, at) => ({ tick: at + 1, t_media_ms }));
    expect(thinSnapshots(snapshots)).toEqual([1, 2]);
  });

  it("a day at one snapshot a second fills the ladder to its bound, not over it", () => {
    let kept: Snapshot[] = [];
    let most = 0;
    // The first hours in steps of a minute's worth: what is older than a minute is the same either way.
    const steps = [
      ...Array.from({ length: 1_400 }, () => 60_000),
      ...Array.from({ length: 800 }, () => 1_000),
    ];
    let t_media_ms = 0;
    steps.forEach((step, at) => {
      t_media_ms += step;
      kept = thin([...kept, { tick: at, t_media_ms }]);
      most = Math.max(most, kept.length);
    });
    expect(most).toBeGreaterThan(400);
    expect(most).toBeLessThanOrEqual(snapshots_max);
    expect(snapshots_max).toBe(460);
  });
});
