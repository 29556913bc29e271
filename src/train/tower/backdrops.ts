// Backgrounds of training pictures: more colours than the world's scenes have, painted once each and turned about so
// that a few hundred are many. Must not know what stands in front.
import { paintBackdrop } from "../../world/backdrop.ts";
import { Dice } from "../../world/dice.ts";
import type { Background } from "../../world/script.ts";
import type { Backdrop } from "./scene.ts";

const colour_counts: Record<Background["kind"], number> = {
  plain: 1,
  gradient: 2,
  stripes: 2,
  checks: 2,
  clouds: 3,
  horizon: 2,
  clutter: 5,
};
const kinds = Object.keys(colour_counts) as Background["kind"][];

/** A pure function of seed and side. */
export class BackdropStore {
  readonly #seed: number;
  readonly #side_px: number;
  /** Painted when they are first needed. */
  readonly #painted: Uint8Array[] = [];

  constructor(seed: number, side_px: number) {
    this.#seed = seed;
    this.#side_px = side_px;
  }

  /** Fills a square float RGB frame. */
  hang({ number, flip_x, flip_y, channels }: Backdrop, frame: Float32Array): void {
    const side = this.#side_px, from = this.#paintingOf(number);
    const [r, g, b] = channels, step = flip_x ? -3 : 3;
    for (let y = 0, to = 0; y < side; y++) {
      let at = 3 * side * (flip_y ? side - 1 - y : y) + (flip_x ? 3 * (side - 1) : 0);
      for (let x = 0; x < side; x++, to += 3, at += step) {
        frame[to] = from[at + r]!;
        frame[to + 1] = from[at + g]!;
        frame[to + 2] = from[at + b]!;
      }
    }
  }

  #paintingOf(number: number): Uint8Array {
    return this.#painted[number] ??= Uint8Array.from(
      paintBackdrop(
        inventBackground(new Dice(this.#seed, `backdrop ${number}`)),
        this.#side_px,
        this.#side_px,
      ),
      Math.round,
    );
  }
}

function inventBackground(dice: Dice): Background {
  const kind = dice.pick(kinds);
  const spread = dice.chance(0.7) ? 60 : 130;
  const colours = Array.from({ length: colour_counts[kind] }, () => inventColour(dice, spread));
  return { from_s: 0, kind, colours, seed: dice.seed() };
}

function inventColour(dice: Dice, spread: number): [number, number, number] {
  const grey = dice.real(15, 245), own = dice.real(0, spread);
  const channel = () => Math.round(Math.min(255, Math.max(0, grey + dice.real(-own, own))));
  return [channel(), channel(), channel()];
}
