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

  /** Long at rest, seen last at epoch_ms. */
  const atRest = (picture = still) => {
    const gate = new ChangeGate(true);
    for (let frame = limits.still_frames_fed; frame >= 0; frame--) {
      gate.admit(picture, epoch_ms - frame * 500);
    }
    return gate;
  };

  it("feeds a few frames behind the last that changed, so that the model sees it stop", () => {
    const gate = atRest();
    const moved = thumbnail((x, y) => (2 * x + y) % 90);
    // Still, moves, moves back, and then stands for good.
    const shown = [still, moved, still, ...Array(8).fill(still)];
    const fed = shown.map((picture, frame) => gate.admit(picture, epoch_ms + 500 * (frame + 1)));
    expect(limits.still_frames_fed).toBe(3);
    expect(fed).toEqual([false, true, true, true, true, true, false, false, false, false, false]);
  });

  it("begins to count anew when something moves before all of them were fed", () => {
    const gate = atRest();
    const moved = thumbnail((x, y) => (2 * x + y) % 90);
    const shown = [moved, moved, moved, still, still, still, still, still];
    const fed = shown.map((picture, frame) => gate.admit(picture, epoch_ms + 500 * (frame + 1)));
    expect(fed).toEqual([true, true, true, true, true, true, true, false]);
  });

  it("drops a picture at rest, and feeds it after still_ms_max so that time goes on", () => {
    const gate = atRest();
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
    const gate = atRest(thumbnail(() => 50));
    const fed: number[] = [];
    for (let step = 1; step < 40; step++) {
      const level = 50 + Math.floor(step / 8);
      if (gate.admit(thumbnail(() => level), epoch_ms + step * 50)) fed.push(step);
    }
    // A step of 1 is under the threshold; two of them are a change, and a few frames behind it.
    expect(limits.change_threshold).toBeGreaterThan(1);
    expect(fed).toEqual([16, 17, 18, 19, 32, 33, 34, 35]);
  });

  it("sees a small object that moves in one corner of a still picture", async () => {
    const corner = fc.record({ right: fc.boolean(), low: fc.boolean() });
    await hold(8, corner, ({ right, low }) => {
      const inObject = (x: number, y: number) =>
        (right ? width_px - 1 - x : x) < 10 && (low ? height_px - 1 - y : y) < 6;
      const gate = atRest();
      const with_object = thumbnail((x, y) => inObject(x, y) ? 255 : (x + y) % 90);
      expect(gate.admit(with_object, epoch_ms + 500)).toBe(true);
    });
  });

  it("does not take noise for change", async () => {
    await hold(8, fc.integer({ min: 1 }), (seed) => {
      const gate = atRest(thumbnail(noise(seed, 8)));
      for (let frame = 1; frame < 8; frame++) {
        expect(gate.admit(thumbnail(noise(seed * 31 + frame, 8)), epoch_ms + frame * 500)).toBe(false);
      }
    });
  });

  it("goes on from what was fed before a restart, or from nothing", () => {
    const gate = new ChangeGate(true);
    gate.restore(atRest().memory, epoch_ms);
    expect(gate.admit(still, epoch_ms + 500)).toBe(false);
    expect(gate.admit(still, epoch_ms + limits.still_ms_max)).toBe(true);
    gate.restore(undefined, 0);
    expect(gate.admit(still, 0)).toBe(true);
  });

  it("decides after a restart at any moment as without one", async () => {
    const pictures = [still, thumbnail((x, y) => (2 * x + y) % 90), thumbnail(() => 40)];
    const script = fc.array(fc.record({ shown: fc.nat(2), frames: fc.integer({ min: 1, max: 9 }) }), {
      maxLength: 8,
    });
    await hold(60, script, (scenes) => {
      const whole = new ChangeGate(true);
      let cut = new ChangeGate(true);
      let memory: Uint8Array | undefined, fed_at_ms = 0;
      scenes.flatMap(({ shown, frames }) => Array<number>(frames).fill(shown)).forEach((shown, frame) => {
        const t_media_ms = frame * 500, picture = pictures[shown]!;
        const fed = whole.admit(picture, t_media_ms);
        cut = new ChangeGate(true);
        cut.restore(memory, fed_at_ms);
        expect(cut.admit(picture, t_media_ms)).toBe(fed);
        if (fed) [memory, fed_at_ms] = [cut.memory, t_media_ms];
      });
    });
  });

  it("takes a thumbnail without a count, as it was written once, for one at rest", () => {
    const gate = new ChangeGate(true);
    gate.restore(still, epoch_ms);
    expect(gate.admit(still, epoch_ms + 500)).toBe(false);
    expect(gate.memory.length).toBe(still.length + 1);
  });
});
