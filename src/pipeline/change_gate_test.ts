import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { hold } from "../../tests/flow/pipeline_law.ts";
import { ChangeGate, makeThumbnail, measureChange } from "./change_gate.ts";
import { limits } from "./limits.ts";

const side = limits.thumbnail_side_px;
const width_px = 160;
const height_px = 96;
const epoch_ms = 1_000_000;

function picture(at: (x: number, y: number) => number): Uint8Array {
  const rgb = new Uint8Array(width_px * height_px * 3);
  for (let y = 0; y < height_px; y++) {
    for (let x = 0; x < width_px; x++) rgb.fill(at(x, y), (y * width_px + x) * 3, (y * width_px + x + 1) * 3);
  }
  return rgb;
}

function thumbnail(at: (x: number, y: number) => number): Uint8Array {
  return makeThumbnail(picture(at), width_px, height_px);
}

/** Noise of a sensor: independent in every pixel and frame, from a seed. */
function noise(seed: number, level: number): (x: number, y: number) => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 120 + ((state >>> 16) / 0xffff - 0.5) * 2 * level;
  };
}

describe("makeThumbnail", () => {
  it("is the mean luma of each cell", () => {
    const halves = thumbnail((x) => x < width_px / 2 ? 10 : 200);
    expect(halves.length).toBe(side * side);
    for (let cell = 0; cell < halves.length; cell++) {
      expect(halves[cell]).toBe(cell % side < side / 2 ? 10 : 200);
    }
  });

  it("weighs colours as the eye does, and white stays white", () => {
    const one = (r: number, g: number, b: number) => makeThumbnail(new Uint8Array([r, g, b]), 1, 1)[0]!;
    expect(one(255, 255, 255)).toBe(255);
    expect(one(0, 255, 0)).toBeGreaterThan(one(255, 0, 0));
    expect(one(255, 0, 0)).toBeGreaterThan(one(0, 0, 255));
  });

  it("takes any size, smaller than the grid too", async () => {
    const sizes = fc.record({
      width: fc.integer({ min: 1, max: 40 }),
      height: fc.integer({ min: 1, max: 40 }),
    });
    await hold(100, sizes, ({ width, height }) => {
      const grey = makeThumbnail(new Uint8Array(width * height * 3).fill(77), width, height);
      expect([...new Set(grey)]).toEqual([77]);
    });
  });
});

describe("measureChange", () => {
  it("is 0 for the same picture, 255 from black to white, and the same both ways", async () => {
    const cells = fc.uint8Array({ minLength: side * side, maxLength: side * side });
    expect(measureChange(thumbnail(() => 0), thumbnail(() => 255))).toBe(255);
    await hold(50, fc.tuple(cells, cells), ([left, right]) => {
      expect(measureChange(left, left)).toBe(0);
      expect(measureChange(left, right)).toBe(measureChange(right, left));
    });
  });
});

describe("ChangeGate", () => {
  const still = thumbnail((x, y) => (x + y) % 90);

  it("feeds the first frame", () => {
    expect(new ChangeGate(true).admit(still, epoch_ms)).toBe(true);
  });

  it("drops a still picture, and feeds it after still_ms_max so that time goes on", () => {
    const gate = new ChangeGate(true);
    gate.admit(still, epoch_ms);
    const fed: number[] = [];
    for (let passed_ms = 500; passed_ms <= 3 * limits.still_ms_max; passed_ms += 500) {
      if (gate.admit(still, epoch_ms + passed_ms)) fed.push(passed_ms);
    }
    expect(fed).toEqual([limits.still_ms_max, 2 * limits.still_ms_max, 3 * limits.still_ms_max]);
  });

  it("feeds everything when it is off", () => {
    const gate = new ChangeGate(false);
    expect([1, 2, 3].map((t_media_ms) => gate.admit(still, t_media_ms))).toEqual([true, true, true]);
  });

  it("sees a drift that no two frames in a row show", () => {
    const gate = new ChangeGate(true);
    let fed = 0;
    for (let step = 0; step < 40; step++) {
      if (gate.admit(thumbnail(() => 50 + Math.floor(step / 4)), epoch_ms + step * 50)) fed++;
    }
    // A step of 1 is under the threshold; 10 of them are five changes worth a tick, and the first frame.
    expect(limits.change_threshold).toBeGreaterThan(1);
    expect(fed).toBe(5);
  });

  it("sees a small object that moves in one corner of a still picture", async () => {
    const corner = fc.record({ right: fc.boolean(), low: fc.boolean() });
    await hold(8, corner, ({ right, low }) => {
      const inObject = (x: number, y: number) =>
        (right ? width_px - 1 - x : x) < 10 && (low ? height_px - 1 - y : y) < 6;
      const gate = new ChangeGate(true);
      gate.admit(still, epoch_ms);
      const with_object = thumbnail((x, y) => inObject(x, y) ? 255 : (x + y) % 90);
      expect(gate.admit(with_object, epoch_ms + 500)).toBe(true);
    });
  });

  it("does not take noise for change", async () => {
    await hold(8, fc.integer({ min: 1 }), (seed) => {
      const gate = new ChangeGate(true);
      gate.admit(thumbnail(noise(seed, 8)), epoch_ms);
      for (let frame = 1; frame < 8; frame++) {
        expect(gate.admit(thumbnail(noise(seed * 31 + frame, 8)), epoch_ms + frame * 500)).toBe(false);
      }
    });
  });

  it("goes on from what was fed before a restart, or from nothing", () => {
    const gate = new ChangeGate(true);
    gate.restore(still, epoch_ms);
    expect(gate.admit(still, epoch_ms + 500)).toBe(false);
    expect(gate.admit(still, epoch_ms + limits.still_ms_max)).toBe(true);
    gate.restore(undefined, 0);
    expect(gate.admit(still, 0)).toBe(true);
  });
});
