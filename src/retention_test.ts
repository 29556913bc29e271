import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { ManualClock } from "../tests/flow/manual_clock.ts";
import { silent_log } from "./log.ts";
import { keepTidy } from "./retention.ts";

const day_ms = 86_400_000;

function watch(keep_days: number, fails = false) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const calls: [string, number][] = [];
  const prune = (stream: string, { captions_before_ms }: { captions_before_ms: number }) => {
    calls.push([stream, captions_before_ms]);
    return fails ? Promise.reject(new Error("the disk is busy")) : Promise.resolve();
  };
  const options = { keep_days, streams: () => ["a", "b"], prune, clock, log: silent_log };
  return { clock, stop, calls, ended: keepTidy(options, stop.signal) };
}

describe("keepTidy()", () => {
  it("forgets what is older than the days to keep, of every stream, every hour", async () => {
    const { clock, stop, calls, ended } = watch(2);
    const start_ms = clock.now_ms();
    await clock.advance(3_600_000);
    stop.abort();
    await ended;
    const first = start_ms - 2 * day_ms;
    expect(calls).toEqual([["a", first], ["b", first], ["a", first + 3_600_000], ["b", first + 3_600_000]]);
  });

  it("keeps everything at 0, and goes on after a failure", async () => {
    const none = watch(0);
    await none.ended;
    expect(none.calls).toEqual([]);
    const failing = watch(1, true);
    await failing.clock.advance(3_600_000);
    failing.stop.abort();
    await failing.ended;
    expect(failing.calls.length).toBe(4);
  });
});
