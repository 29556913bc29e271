import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { PullClock } from "./pull_clock.ts";

function clockAt(start_at_ms: number, rate_hz: number) {
  const time = { ms: 0 };
  const clock = new PullClock({ start_at_ms, rate_hz }, {
    now_ms: () => time.ms,
    monotonic_ms: () => time.ms,
    sleep: () => Promise.resolve(),
  });
  return { clock, time };
}

describe("PullClock", () => {
  it("stamps a recording on its grid, to the last bit also when started later", () => {
    const whole = clockAt(0, 3).clock;
    const stamps = Array.from({ length: 50 }, () => whole.stamp("media"));
    expect(stamps[7]).toBe(7_000 / 3);
    const tail = clockAt(stamps[17], 3).clock;
    expect(Array.from({ length: 33 }, () => tail.stamp("media"))).toEqual(stamps.slice(17));
  });

  it("keeps media time going when the recording begins again", () => {
    const { clock } = clockAt(0, 2);
    for (let n = 0; n < 4; n++) clock.stamp("media");
    expect(clock.position_ms()).toBe(2_000);
    clock.rewind();
    expect(clock.position_ms()).toBe(0);
    expect(clock.stamp("media")).toBe(2_000);
    expect(clock.position_ms()).toBe(500);
  });

  it("counts a start time in laps", () => {
    const { clock } = clockAt(50_000, 2);
    clock.enterLap(18);
    expect(clock.position_ms()).toBe(100 % 18 * 500);
    expect(clock.stamp("media")).toBe(50_000);
  });

  it("stamps a camera with the time since its first picture, never twice the same", () => {
    const { clock, time } = clockAt(1_000, 2);
    const at = (ms: number) => {
      time.ms = ms;
      return clock.stamp("arrival");
    };
    expect([at(300), at(800), at(800), at(60_300)]).toEqual([1_000, 1_500, 1_501, 61_000]);
  });
});
