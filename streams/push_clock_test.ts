import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { PushClock } from "./push_clock.ts";

describe("PushClock", () => {
  it("counts from the first message and keeps the publisher's distances", () => {
    const clock = new PushClock(500);
    expect([[9e9, 0], [9e9 + 40_000, 70], [9e9 + 80_000, 75]].map(([us, now]) => clock.map(us, now))).toEqual(
      [500, 540, 580],
    );
  });

  it("goes on by our clock over a reconnection", () => {
    const clock = new PushClock(0);
    clock.map(0, 0);
    clock.map(1_000_000, 1_000);
    clock.reconnect();
    expect(clock.map(77, 3_500)).toBe(3_500);
    expect(clock.map(100_077, 3_600)).toBe(3_600);
  });

  it("does not follow a clock that runs away", () => {
    const clock = new PushClock(0);
    clock.map(0, 0);
    expect(clock.map(3_600_000_000, 100)).toBe(100);
    expect(clock.map(3_600_040_000, 140)).toBe(140);
    expect(clock.map(0, 180)).toBe(180);
  });

  it("never goes back", () => {
    const steps = fc.array(
      fc.record({
        us: fc.integer({ min: 0, max: 1e12 }),
        wait: fc.integer({ min: 0, max: 5_000 }),
        again: fc.boolean(),
      }),
    );
    fc.assert(fc.property(steps, (messages) => {
      const clock = new PushClock(0);
      let now = 0, last = 0;
      for (const { us, wait, again } of messages) {
        now += wait;
        if (again) clock.reconnect();
        const t = clock.map(us, now);
        expect(t).toBeGreaterThanOrEqual(last);
        expect(t).toBeLessThanOrEqual(now + 10_000);
        last = t;
      }
    }));
  });
});
