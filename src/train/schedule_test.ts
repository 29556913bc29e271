import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { cosineLr, decayScale, linearLr, type Schedule } from "./schedule.ts";

const released: Schedule = { lr_init: 6e-5, lr_final: 1.5e-5, warmup_steps: 0, total_steps: 15_000 };

describe("cosineLr", () => {
  it("has the published numbers", () => {
    const wanted: [number, number][] = [
      [0, 5.99999995e-5],
      [3750, 5.34065701e-5],
      [7499, 3.75e-5],
      [14_999, 1.5e-5],
    ];
    for (const [step, lr] of wanted) expect(Math.abs(cosineLr(step, released) - lr)).toBeLessThan(1e-13);
  });

  it("stays where it ends, and is constant when both ends are equal", () => {
    expect(cosineLr(20_000, released)).toBeCloseTo(1.5e-5, 12);
    for (const step of [0, 7, 999]) {
      expect(cosineLr(step, { ...released, lr_final: 6e-5 })).toBeCloseTo(6e-5, 15);
    }
  });

  it("rises from a tenth while it warms up, then follows a curve that begins there", () => {
    const warm = { ...released, warmup_steps: 100, total_steps: 1_100 };
    expect(cosineLr(0, warm)).toBeCloseTo(6e-6, 12);
    expect(cosineLr(50, warm)).toBeCloseTo(6e-5 * 0.55, 12);
    expect(cosineLr(100, warm)).toBeCloseTo(1.5e-5 + 4.5e-5 * (1 + Math.cos(Math.PI / 1000)) / 2, 12);
    expect(cosineLr(1_099, warm)).toBeCloseTo(1.5e-5, 12);
  });

  it("takes upstream's warm-up of -1 as it stands", () => {
    const shifted = cosineLr(0, { ...released, warmup_steps: -1 });
    expect(shifted).toBeCloseTo(1.5e-5 + 4.5e-5 * (1 + Math.cos(Math.PI * 2 / 15_001)) / 2, 15);
    expect(shifted).toBeLessThan(cosineLr(0, released));
  });
});

describe("linearLr", () => {
  it("falls by the same amount every step and reaches its end", () => {
    const schedule = { lr_init: 1e-3, lr_final: 0, warmup_steps: 0, total_steps: 1_000 };
    expect(linearLr(499, schedule)).toBeCloseTo(5e-4, 12);
    expect(linearLr(999, schedule)).toBe(0);
    expect(linearLr(100, schedule) - linearLr(101, schedule)).toBeCloseTo(1e-6, 12);
  });
});

describe("decayScale", () => {
  it("moves geometrically, and not at all without an end", () => {
    expect(decayScale(7_499, released, { initial: 0.1, final: 0.001 })).toBeCloseTo(0.1, 12);
    expect(decayScale(7_499, released, { initial: 0.1, final: -1 })).toBe(1);
    expect(decayScale(7_499, released, { initial: 0, final: 0.1 })).toBe(1);
  });
});
