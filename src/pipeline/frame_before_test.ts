import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { FrameBefore } from "./frame_before.ts";

const tick_rate_hz = 2;

/** A frame of the tick that its time falls into; its first byte is its name. */
function frame(name: number, t_media_ms: number, width_px = 2) {
  const tick = Math.round(t_media_ms * tick_rate_hz / 1000) + 1;
  return { rgb: new Uint8Array(width_px * 3).fill(name), width_px, height_px: 1, tick, t_media_ms };
}

/** Names of the frames before, 0 for none. */
function names(frames: readonly ReturnType<typeof frame>[]): number[] {
  const before = new FrameBefore(tick_rate_hz);
  return frames.map((one) => before.exchange(one)?.rgb[0] ?? 0);
}

describe("FrameBefore", () => {
  it("is the frame of the tick before, also when frames are not quite on time", () => {
    expect(names([frame(1, 0), frame(2, 500), frame(3, 1_040), frame(4, 1_460)])).toEqual([0, 1, 2, 3]);
  });

  it("is none behind a gap, and the frame behind that one has one again", () => {
    expect(names([frame(1, 0), frame(2, 750), frame(3, 1_501), frame(4, 2_000)])).toEqual([0, 1, 0, 3]);
  });

  it("is none for a second frame of a tick, which is not remembered", () => {
    expect(names([frame(1, 0), frame(2, 500), frame(3, 600), frame(4, 1_000)])).toEqual([0, 1, 0, 2]);
  });

  it("is none when the clock went back, hardly went on, or the size changed", () => {
    expect(names([frame(1, 1_000), frame(2, 0)])).toEqual([0, 0]);
    expect(names([frame(1, 240), frame(2, 260)])).toEqual([0, 0]);
    expect(names([frame(1, 0), frame(2, 500, 4), frame(3, 1_000, 4)])).toEqual([0, 0, 2]);
  });

  it("is none after what was seen has been forgotten", () => {
    const before = new FrameBefore(tick_rate_hz);
    before.exchange(frame(1, 0));
    before.forget();
    expect(before.exchange(frame(2, 500))).toBe(undefined);
  });
});
