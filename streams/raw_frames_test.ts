import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { RawFrames } from "./raw_frames.ts";

describe("RawFrames", () => {
  it("gives the same frames however the bytes are cut", () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 12 }),
      (frame_bytes, chunks) => {
        const frames = new RawFrames(frame_bytes);
        const whole = chunks.flatMap((chunk) => [...frames.push(chunk)]);
        const all = chunks.flatMap((chunk) => [...chunk]);
        expect(whole.flatMap((frame) => [...frame])).toEqual(all.slice(0, whole.length * frame_bytes));
        expect(whole.length).toBe(Math.floor(all.length / frame_bytes));
        expect(frames.pending_bytes).toBe(all.length % frame_bytes);
        expect(new Set(whole.map((frame) => frame.buffer)).size).toBe(whole.length);
      },
    ));
  });

  it("refuses a frame without bytes", () => {
    for (const size of [0, -1, 1.5, NaN]) expect(() => new RawFrames(size)).toThrow(RangeError);
  });
});
