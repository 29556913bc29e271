import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { inventScene } from "./author.ts";
import { Renderer } from "./renderer.ts";
import { readScript, type Script } from "./script.ts";
import { makeSprite, sprite_side_px } from "./sprite.ts";

/** A red square of opaque pixels with an empty border, twice as wide as high. */
function bar() {
  const width = 60, height = 60, rgba = new Uint8Array(width * height * 4);
  for (let y = 20; y < 40; y++) {
    for (let x = 10; x < 50; x++) rgba.set([200, 0, 0, 255], 4 * (y * width + x));
  }
  return makeSprite(rgba, width, height)!;
}

function scene(changes: Record<string, unknown> = {}): Script {
  const read = readScript({
    ...{ format: "gander-scene", format_version: 1, seed: 1, duration_s: 20, style: "any" },
    objects: [{ id: 0, name: "car", keys: [{ t_s: 2, x: 0.5, y: 0.5, size: 0.5 }] }],
    backgrounds: [{ kind: "plain", colours: [[40, 80, 120]] }],
    ...changes,
  });
  if ("problems" in read) throw new Error(read.problems.join("\n"));
  return read.script;
}

const size = { width_px: 64, height_px: 64 };
const sprite = bar();
const render = (script: Script, t_s: number) => new Renderer(script, () => sprite, size).frame(t_s);
const pixel = (
  frame: Uint8Array,
  x: number,
  y: number,
) => [...frame.subarray(3 * (y * 64 + x), 3 * (y * 64 + x) + 3)];

describe("sprites", () => {
  it("are cut to what is visible and made square", () => {
    const { rgba, side } = sprite[0]!;
    expect(side).toBe(sprite_side_px);
    const alpha = (x: number, y: number) => rgba[4 * (y * side + x) + 3];
    // Full width, and half of the height in the middle.
    expect([alpha(1, 64), alpha(126, 64), alpha(64, 20), alpha(64, 110), alpha(64, 60)]).toEqual([
      255,
      255,
      0,
      0,
      255,
    ]);
    expect(sprite.map((mip) => mip.side)).toEqual([128, 64, 32, 16, 8]);
    expect(makeSprite(new Uint8Array(400), 10, 10)).toBeUndefined();
  });
});

describe("frames", () => {
  it("show what the script says, where and when", () => {
    expect(pixel(render(scene(), 1), 32, 32)).toEqual([40, 80, 120]);
    const frame = render(scene(), 3);
    expect(pixel(frame, 32, 32)).toEqual([200, 0, 0]);
    expect(pixel(frame, 20, 32)).toEqual([200, 0, 0]);
    expect(pixel(frame, 32, 20)).toEqual([40, 80, 120]);
    expect(pixel(frame, 12, 32)).toEqual([40, 80, 120]);
  });

  it("turn, grow, and are cut off at the border", () => {
    const keys = [{ t_s: 0, x: 0.5, y: 0.5, size: 0.5, angle_deg: 90 }];
    const turned = render(scene({ objects: [{ id: 0, name: "car", keys }] }), 3);
    expect(pixel(turned, 32, 20)).toEqual([200, 0, 0]);
    expect(pixel(turned, 20, 32)).toEqual([40, 80, 120]);
    const outside = [{ id: 0, name: "car", keys: [{ t_s: 0, x: 0, y: 0, size: 1.9 }] }];
    expect(pixel(render(scene({ objects: outside }), 3), 2, 2)).toEqual([200, 0, 0]);
  });

  it("follow the light, and go black and stand still where the script says so", () => {
    const light = [{ t_s: 0, gain: 1 }, { t_s: 10, gain: 0.5 }];
    expect(pixel(render(scene({ light }), 10), 0, 0)).toEqual([20, 40, 60]);
    expect(pixel(render(scene({ light }), 5), 0, 0)).toEqual([30, 60, 90]);
    const nuisance = { black: [{ from_s: 4, until_s: 5 }], freezes: [{ from_s: 1, until_s: 3 }], noise: 0.1 };
    expect(Math.max(...render(scene({ nuisance }), 4.5))).toBe(0);
    expect(render(scene({ nuisance }), 2.9)).toEqual(render(scene({ nuisance }), 1));
    expect(render(scene({ nuisance }), 3.1)).not.toEqual(render(scene({ nuisance }), 1));
  });

  it("have as much noise as the script says, new in every frame", () => {
    const script = scene({ nuisance: { noise: 0.05 }, objects: [] });
    const frame = render(script, 3), other = render(script, 3.5);
    const error = Math.sqrt(
      frame.reduce((sum, value, at) => sum + (value - [40, 80, 120][at % 3]!) ** 2, 0) / frame.length,
    );
    expect(error / 255).toBeCloseTo(0.05, 2);
    expect(frame).not.toEqual(other);
    expect(frame).toEqual(render(script, 3));
  });

  it("of invented scenes are never of one colour, whatever the background", () => {
    for (const level of ["L1", "L2", "L3"] as const) {
      for (let seed = 0; seed < 8; seed++) {
        const script = inventScene({
          seed,
          level,
          duration_s: 20,
          styles: ["any"],
          grammar: "train",
          still: true,
        });
        expect(new Set(render({ ...script, nuisance: { ...script.nuisance, black: [] } }, 10)).size)
          .toBeGreaterThan(2);
      }
    }
  });
});
