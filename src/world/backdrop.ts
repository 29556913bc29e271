// Paints backgrounds: seven kinds, from colours and a seed, at any size. Must not know objects or light.
import { Dice } from "./dice.ts";
import type { Background } from "./script.ts";

type Rgb = readonly [number, number, number];

/** Row-major float RGB, 0..255. */
export function paintBackdrop(background: Background, width: number, height: number): Float32Array {
  const frame = new Float32Array(width * height * 3);
  const colourAt = painters[background.kind](background, new Dice(background.seed, background.kind));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = colourAt((x + 0.5) / width, (y + 0.5) / height);
      frame.set(colour, 3 * (y * width + x));
    }
  }
  return frame;
}

/** Colour of a place, both coordinates 0..1. */
type ColourAt = (x: number, y: number) => Rgb;

function mix(a: Rgb, b: Rgb, share: number): Rgb {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}

function colourOf({ colours }: Background, index: number): Rgb {
  return colours[index % colours.length]!;
}

const painters: Record<Background["kind"], (background: Background, dice: Dice) => ColourAt> = {
  plain: (background) => () => colourOf(background, 0),

  gradient(background, dice) {
    const angle = dice.real(0, 2 * Math.PI), dx = Math.cos(angle), dy = Math.sin(angle);
    return (x, y) =>
      mix(colourOf(background, 0), colourOf(background, 1), ((x - 0.5) * dx + (y - 0.5) * dy) / 1.42 + 0.5);
  },

  stripes(background, dice) {
    const angle = dice.real(0, Math.PI), count = dice.real(3, 9), dx = Math.cos(angle), dy = Math.sin(angle);
    return (x, y) => colourOf(background, Math.floor((x * dx + y * dy + 2) * count) & 1);
  },

  checks(background, dice) {
    const count = dice.real(3, 8), offset = dice.share();
    return (x, y) =>
      colourOf(background, (Math.floor(x * count + offset) + Math.floor(y * count + offset)) & 1);
  },

  clouds(background, dice) {
    const waves = Array.from({ length: 6 }, () => ({
      dx: dice.real(-9, 9),
      dy: dice.real(-9, 9),
      phase: dice.real(0, 2 * Math.PI),
    }));
    return (x, y) => {
      const sums = [0, 0];
      for (const [index, { dx, dy, phase }] of waves.entries()) {
        sums[index & 1]! += Math.sin(dx * x + dy * y + phase);
      }
      const between = mix(colourOf(background, 0), colourOf(background, 1), 0.5 + sums[0]! / 6);
      return mix(between, colourOf(background, 2), Math.max(0, 0.4 + sums[1]! / 6) * 0.7);
    };
  },

  horizon(background, dice) {
    const height = dice.real(0.35, 0.75), tilt = dice.real(-0.1, 0.1);
    const far = dice.real(0.7, 1);
    return (x, y) => {
      const line = height + tilt * (x - 0.5);
      const colour = colourOf(background, y < line ? 0 : 1);
      const share = y < line ? y / line : (1 - y) / (1 - line);
      return mix(colour, [colour[0] * far, colour[1] * far, colour[2] * far], share);
    };
  },

  clutter(background, dice) {
    const shapes = Array.from({ length: 18 }, (_, index) => ({
      round: dice.chance(0.5),
      x: dice.share(),
      y: dice.share(),
      w: dice.real(0.03, 0.16),
      h: dice.real(0.03, 0.16),
      colour: colourOf(background, 1 + index % Math.max(1, background.colours.length - 1)),
    }));
    return (x, y) => {
      const top = shapes.findLast((shape) => {
        const dx = (x - shape.x) / shape.w, dy = (y - shape.y) / shape.h;
        return shape.round ? dx * dx + dy * dy < 1 : Math.abs(dx) < 1 && Math.abs(dy) < 1;
      });
      return top?.colour ?? colourOf(background, 0);
    };
  },
};
