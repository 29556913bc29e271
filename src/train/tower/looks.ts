// How an object of a training picture is changed, so that a tower learns things and not the strokes of one art style:
// colours, outlines, flat paint, shape and missing parts, drawn by chance. Must not know how a look is drawn.
import type { Dice } from "../../world/dice.ts";

type Rgb = readonly [number, number, number];

export interface Look {
  /** Rows of [red, green, blue, constant] on colours of 0..1, row-major 3 x 4. */
  colour: Float32Array;
  /** Shades that are left of each channel; 0 for all. */
  shades: number;
  outline?: { rgb: Rgb; width_px: number };
  /** A part that is missing; in sides of the object's square. */
  hole?: { x: number; y: number; width: number; height: number; round: boolean };
  mirrored: boolean;
  tilt_deg: number;
  /** Width over height. */
  stretch: number;
  /** Bends of the shape; amplitude in sides, rate in waves per side. */
  wave?: { along_x: number; along_y: number; rate: number; phase: number };
}

export function inventLook(dice: Dice): Look {
  const outlined = dice.chance(0.25), holed = dice.chance(0.15), waved = dice.chance(0.35);
  return {
    colour: inventColour(dice),
    shades: dice.chance(0.2) ? dice.between(2, 5) : 0,
    ...(outlined && { outline: inventOutline(dice) }),
    ...(holed && { hole: inventHole(dice) }),
    mirrored: dice.chance(0.3),
    tilt_deg: dice.chance(0.7) ? dice.real(-20, 20) : 0,
    stretch: dice.chance(0.6) ? Math.exp(dice.real(-0.15, 0.15)) : 1,
    ...(waved && {
      wave: {
        along_x: dice.real(-0.035, 0.035),
        along_y: dice.real(-0.035, 0.035),
        rate: dice.real(0.4, 1.6),
        phase: dice.share(),
      },
    }),
  };
}

/** Weights of the channels in brightness. */
const grey: Rgb = [0.299, 0.587, 0.114];

function inventColour(dice: Dice): Float32Array {
  const hue_kind = dice.share();
  const turn = hue_kind < 0.5 ? 0 : hue_kind < 0.85 ? dice.real(-0.5, 0.5) : dice.real(-Math.PI, Math.PI);
  const saturation = dice.chance(0.1) ? 0 : dice.chance(0.6) ? dice.real(0.4, 1.5) : 1;
  const contrast = dice.chance(0.6) ? dice.real(0.6, 1.4) : 1;
  const brightness = dice.chance(0.6) ? dice.real(-0.18, 0.18) : 0;
  const cast = dice.chance(0.25)
    ? [dice.real(0.8, 1.2), dice.real(0.8, 1.2), dice.real(0.8, 1.2)]
    : [1, 1, 1];
  const cos = Math.cos(turn) * saturation, sin = Math.sin(turn) * saturation / Math.sqrt(3);
  const out = new Float32Array(12);
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      // Brightness stays; what is left of the colour turns around the grey axis.
      const own = row === column ? 1 : 0;
      const across = row === column ? 0 : (column - row + 3) % 3 === 1 ? -1 : 1;
      const mixed = grey[column]! + cos * (own - grey[column]!) + sin * across;
      out[4 * row + column] = mixed * contrast * cast[row]!;
    }
    out[4 * row + 3] = (0.5 - 0.5 * contrast + brightness) * cast[row]!;
  }
  return out;
}

function inventOutline(dice: Dice): { rgb: Rgb; width_px: number } {
  const kind = dice.share();
  const level = kind < 0.5 ? dice.real(0, 0.2) : dice.real(0.85, 1);
  const rgb: Rgb = kind < 0.85 ? [level, level, level] : [dice.share(), dice.share(), dice.share()];
  return { rgb, width_px: dice.between(1, 3) };
}

function inventHole(dice: Dice): Look["hole"] {
  const width = dice.real(0.15, 0.45), height = dice.real(0.15, 0.45);
  return {
    x: dice.real(0, 1),
    y: dice.real(0, 1),
    width,
    height,
    round: dice.chance(0.5),
  };
}
