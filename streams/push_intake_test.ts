import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import type { PushCodec } from "./push_message.ts";
import { PushIntake } from "./push_intake.ts";

const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 48, 0, 64, 1, 0x11, 0]);
const webm = new Uint8Array([0x1a, 0x45, 0xdf, 0xa3]);

function intake() {
  const granted: number[] = [];
  const it = new PushIntake("cam1", (messages) => granted.push(messages));
  const offer = (codec: PushCodec, sequence: number, payload: Uint8Array = jpeg, key_frame = false) => {
    const result = it.check({ codec, key_frame, t_media_us: 0, sequence, payload });
    if ("error" in result) return result.error.code;
    return "dropped" in result ? result.dropped : "taken";
  };
  it.open();
  return { it, granted, offer };
}

describe("PushIntake", () => {
  it("grants four pictures, and one more for each that is consumed", () => {
    const { it, granted, offer } = intake();
    expect([1, 2, 3, 4, 5].map((sequence) => offer("jpeg", sequence))).toEqual([
      "taken",
      "taken",
      "taken",
      "taken",
      "no_credit",
    ]);
    it.consumed(0);
    expect(granted).toEqual([4, 1]);
    expect(offer("jpeg", 6)).toBe("taken");
  });

  it("grants a stream nothing while half a megabyte waits, and then all of it", () => {
    const { it, granted, offer } = intake();
    expect(offer("h264", 1, jpeg, true)).toBe("taken");
    for (let sequence = 2; sequence <= 6; sequence++) offer("h264", sequence);
    for (let n = 0; n < 5; n++) it.consumed(512 * 1024);
    expect(granted).toEqual([4, 12]);
    it.consumed(1_000);
    expect(granted).toEqual([4, 12, 6]);
  });

  it("goes on at a key picture after a hole in H.264, and not at all after one in WebM", () => {
    const { it, offer } = intake();
    expect(offer("h264", 1)).toBe("waiting_for_key");
    expect(offer("h264", 2, jpeg, true)).toBe("taken");
    for (let sequence = 3; it.credits > 0; sequence++) offer("h264", sequence);
    expect(offer("h264", 50)).toBe("no_credit");
    it.consumed(0);
    expect(offer("h264", 51)).toBe("waiting_for_key");
    expect(offer("h264", 52, jpeg, true)).toBe("taken");
    const other = intake();
    expect(other.offer("webm", 1, jpeg)).toBe("format");
    expect(other.offer("webm", 1, webm)).toBe("taken");
    for (let sequence = 2; other.it.credits > 0; sequence++) other.offer("webm", sequence);
    expect(other.offer("webm", 50)).toBe("limits");
  });

  it("takes a recording's header in pieces of any length, down to single bytes", () => {
    const { offer } = intake();
    expect(offer("webm", 1, webm.subarray(0, 1))).toBe("taken");
    expect(offer("webm", 2, webm.subarray(1, 3))).toBe("taken");
    expect(offer("webm", 3, new Uint8Array([0xa3, 1, 2, 3]))).toBe("taken");
    expect(offer("webm", 4, jpeg)).toBe("taken");
    const other = intake();
    expect(other.offer("webm", 1, webm.subarray(0, 3))).toBe("taken");
    expect(other.offer("webm", 2, jpeg)).toBe("format");
  });

  it("gives back the credit of what it drops, so that nobody waits for ever", () => {
    const { it, granted, offer } = intake();
    for (let sequence = 1; sequence <= 40; sequence++) {
      expect(offer("h264", sequence)).toBe("waiting_for_key");
    }
    expect(granted).toEqual([4, 12, ...Array(40).fill(1)]);
    expect(it.credits).toBe(16);
  });

  it("suspended it drops what still comes; open again it makes up for what was lost", () => {
    const { it, granted, offer } = intake();
    offer("jpeg", 1);
    it.suspend();
    it.consumed(0);
    expect(offer("jpeg", 2)).toBe("not_running");
    expect([it.credits, granted]).toEqual([2, [4]]);
    it.open();
    expect([it.credits, granted]).toEqual([4, [4, 2]]);
  });

  it("narrows the window again without granting below it", () => {
    const { it, granted, offer } = intake();
    offer("h264", 1, jpeg, true);
    it.consumed(0);
    offer("jpeg", 2);
    for (let n = 0; n < 12; n++) it.consumed(0);
    expect(granted).toEqual([4, 12, 1]);
    it.consumed(0);
    expect(granted).toEqual([4, 12, 1, 1]);
  });

  it("takes no message twice, across the wrap of the sequence", () => {
    const { offer } = intake();
    expect(offer("jpeg", 2 ** 32 - 1)).toBe("taken");
    expect(offer("jpeg", 2 ** 32 - 1)).toBe("out_of_order");
    expect(offer("jpeg", 0)).toBe("taken");
    expect(offer("jpeg", 2 ** 32 - 2)).toBe("out_of_order");
  });

  it("refuses what is too large before anything decodes it", () => {
    const { offer } = intake();
    expect(offer("h264", 1, new Uint8Array(2 * 1024 * 1024 + 1), true)).toBe("too_large");
    const wide = jpeg.slice();
    wide[9] = 0x20;
    expect(offer("jpeg", 1, wide)).toBe("too_large");
    expect(offer("jpeg", 1, new Uint8Array([1, 2, 3]))).toBe("format");
  });
});
