import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { withHalves } from "../../world/sprite.ts";
import { lay, Wardrobe } from "./dressing.ts";
import type { Look } from "./looks.ts";

const side = 96;
const plain: Look = {
  colour: Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0),
  shades: 0,
  mirrored: false,
  tilt_deg: 0,
  stretch: 1,
};

/** Opaque; the left half red, the right half green. */
function halves() {
  const rgba = new Uint8Array(128 * 128 * 4);
  for (let at = 0; at < 128 * 128; at++) {
    rgba.set(at % 128 < 64 ? [200, 0, 0, 255] : [0, 200, 0, 255], 4 * at);
  }
  return withHalves({ side: 128, rgba });
}

const sprite = halves();

function drawn(look: Look, at = { x: 48, y: 40, side: 30 }): Float32Array {
  const frame = new Float32Array(side * side * 3);
  lay(frame, side, new Wardrobe().dress(sprite, look, at.side), look, at);
  return frame;
}

/** Weight and middle of one channel. */
function mass(frame: Float32Array, channel: number): { sum: number; x: number; y: number } {
  let sum = 0, x = 0, y = 0;
  for (let at = 0; at < side * side; at++) {
    const value = frame[3 * at + channel]!;
    sum += value;
    x += value * (at % side + 0.5);
    y += value * (Math.floor(at / side) + 0.5);
  }
  return { sum, x: x / sum, y: y / sum };
}

describe("dressing", () => {
  it("lays a thing at its place and size", () => {
    const frame = drawn(plain), red = mass(frame, 0), green = mass(frame, 1);
    expect((red.x + green.x) / 2).toBeCloseTo(48, 1);
    expect(red.y).toBeCloseTo(40, 1);
    expect(red.sum / 200).toBeGreaterThan(0.9 * 30 * 15);
    expect(red.sum / 200).toBeLessThan(1.1 * 30 * 15);
    expect(red.x).toBeLessThan(green.x);
  });

  it("cuts off what is outside and leaves the rest alone", () => {
    const frame = drawn(plain, { x: 0, y: 0, side: 40 });
    expect(mass(frame, 1).sum / 200).toBeGreaterThan(0.85 * 400);
    expect(frame[3 * (side * side - 1)]).toBe(0);
    expect(drawn(plain, { x: -300, y: 20, side: 40 }).every((value) => value === 0)).toBe(true);
  });

  it("mirrors, tilts and stretches", () => {
    const mirrored = drawn({ ...plain, mirrored: true });
    expect(mass(mirrored, 0).x).toBeGreaterThan(mass(mirrored, 1).x);
    // Clockwise: what was left is up.
    const tilted = drawn({ ...plain, tilt_deg: 90 });
    expect(mass(tilted, 0).y).toBeLessThan(mass(tilted, 1).y - 5);
    const wide = mass(drawn({ ...plain, stretch: 1.3 }), 1), usual = mass(drawn(plain), 1);
    expect(wide.x - 48).toBeGreaterThan((usual.x - 48) * 1.05);
    expect(wide.sum).toBeGreaterThan(0.9 * usual.sum);
  });

  it("turns colours, flattens them and cuts holes", () => {
    const swapped = { ...plain, colour: Float32Array.of(0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0) };
    expect(mass(drawn(swapped), 0).x).toBeGreaterThan(48);
    const flat = drawn({ ...plain, shades: 2 });
    // Half of the range or all of it: 200 becomes 255.
    expect(Math.max(...flat)).toBeCloseTo(255, 0);
    const hole = { x: 0.25, y: 0.5, width: 0.5, height: 1, round: false };
    expect(mass(drawn({ ...plain, hole }), 0).sum).toBeLessThan(0.1 * mass(drawn(plain), 0).sum);
  });

  it("draws outlines around, the same after other sprites", () => {
    const outline = { rgb: [0, 0, 1] as const, width_px: 2 };
    const wardrobe = new Wardrobe(), frame = new Float32Array(side * side * 3);
    wardrobe.dress(sprite, { ...plain, outline }, 60);
    const look = { ...plain, outline }, at = { x: 48, y: 40, side: 30 };
    lay(frame, side, wardrobe.dress(sprite, look, at.side), look, at);
    expect(frame).toEqual(drawn(look));
    const blue = mass(frame, 2);
    // A ring of two pixels around a square of thirty.
    expect(blue.sum / 255).toBeGreaterThan(0.6 * 2 * 120);
    expect(blue.sum / 255).toBeLessThan(1.5 * 2 * 128);
    expect(blue.x).toBeCloseTo(48, 0);
  });
});
