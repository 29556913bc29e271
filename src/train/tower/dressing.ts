// A sprite in its look, and how it is laid onto a frame. The work of every object of every training picture: typed
// arrays, no allocation. Must not know scenes or chance.
import type { Mip, Sprite } from "../../world/sprite.ts";
import type { Look } from "./looks.ts";

/** Sprites are dressed at this side at most; things of training pictures are drawn smaller. */
const dressed_side_max = 64;
/** A clear border: the outline at its widest, and one pixel so that sampling never leaves the picture. */
const border_px = 7;
const room = (dressed_side_max + 2 * border_px) ** 2;

/** Premultiplied RGBA of 0..255 floats. */
interface Dressed {
  rgba: Float32Array;
  /** With its border. */
  stride: number;
  /** Without. */
  side: number;
}

/** One wave, and a bit more for interpolation-free look-up. */
const wave_table = Float32Array.from({ length: 256 }, (_, at) => Math.sin(2 * Math.PI * at / 256));

/** Dresses one sprite at a time. */
export class Wardrobe {
  readonly #rgba = new Float32Array(4 * room);
  readonly #alpha = new Float32Array(room);
  readonly #grown = new Float32Array(room);

  /** `side_px`: how large it is drawn. The result lasts until the next call. */
  dress(sprite: Sprite, look: Look, side_px: number): Dressed {
    const fitting = sprite.filter(({ side }) => side <= dressed_side_max);
    const mip = fitting.findLast(({ side }) => side >= side_px) ?? fitting[0]!;
    const stride = mip.side + 2 * border_px;
    this.#rgba.fill(0, 0, 4 * stride * stride);
    this.#paint(mip, look, stride);
    if (look.hole) this.#cut(look.hole, mip.side, stride);
    if (look.outline) {
      const width = Math.min(border_px - 1, Math.round(look.outline.width_px * mip.side / side_px));
      this.#outline(look.outline.rgb, Math.max(1, width), stride);
    }
    return { rgba: this.#rgba, stride, side: mip.side };
  }

  #paint({ side, rgba }: Mip, { colour, shades }: Look, stride: number): void {
    const out = this.#rgba;
    for (let y = 0, from = 0; y < side; y++) {
      let to = 4 * ((y + border_px) * stride + border_px);
      for (let x = 0; x < side; x++, from += 4, to += 4) {
        const alpha = rgba[from + 3]!;
        if (alpha === 0) continue;
        const r = rgba[from]!, g = rgba[from + 1]!, b = rgba[from + 2]!;
        for (let c = 0; c < 3; c++) {
          const row = 4 * c;
          let value = colour[row]! * r + colour[row + 1]! * g + colour[row + 2]! * b +
            colour[row + 3]! * alpha;
          if (shades > 0) value = Math.round(value * shades / alpha) / shades * alpha;
          out[to + c] = value < 0 ? 0 : value > alpha ? alpha : value;
        }
        out[to + 3] = alpha;
      }
    }
  }

  #cut(hole: NonNullable<Look["hole"]>, side: number, stride: number): void {
    const out = this.#rgba;
    for (let y = 0; y < side; y++) {
      const dy = (y / side - hole.y) / (hole.height / 2);
      for (let x = 0; x < side; x++) {
        const dx = (x / side - hole.x) / (hole.width / 2);
        const inside = hole.round ? dx * dx + dy * dy < 1 : Math.abs(dx) < 1 && Math.abs(dy) < 1;
        if (!inside) continue;
        const at = 4 * ((y + border_px) * stride + x + border_px);
        out[at] =
          out[at + 1] =
          out[at + 2] =
          out[at + 3] =
            0;
      }
    }
  }

  /** Opacity spreads to its neighbours, `width` times: four of them and eight in turn make it round. */
  #outline(rgb: readonly [number, number, number], width: number, stride: number): void {
    const out = this.#rgba, count = stride * stride;
    let alpha = this.#alpha, grown = this.#grown;
    grown.fill(0, 0, count);
    for (let at = 0; at < count; at++) alpha[at] = out[4 * at + 3]!;
    for (let pass = 0; pass < width; pass++) {
      for (let y = 1; y < stride - 1; y++) {
        for (let at = y * stride + 1; at < (y + 1) * stride - 1; at++) {
          let most = Math.max(
            alpha[at]!,
            alpha[at - 1]!,
            alpha[at + 1]!,
            alpha[at - stride]!,
            alpha[at + stride]!,
          );
          if (pass & 1) {
            const corners = Math.max(
              ...[
                alpha[at - stride - 1]!,
                alpha[at - stride + 1]!,
                alpha[at + stride - 1]!,
                alpha[at + stride + 1]!,
              ],
            );
            if (corners > most) most = corners;
          }
          grown[at] = most;
        }
      }
      [alpha, grown] = [grown, alpha];
    }
    for (let at = 0; at < count; at++) {
      const under = alpha[at]! * (1 - out[4 * at + 3]! / 255);
      if (under <= 0) continue;
      for (let c = 0; c < 3; c++) out[4 * at + c] = out[4 * at + c]! + rgb[c]! * under;
      out[4 * at + 3] = out[4 * at + 3]! + under;
    }
  }
}

/** Lays it onto square float RGB (0..255): centre and side in pixels; parts outside are cut off. */
export function lay(
  frame: Float32Array,
  frame_side: number,
  { rgba, stride, side }: Dressed,
  look: Look,
  at: { x: number; y: number; side: number },
): void {
  const angle = look.tilt_deg * Math.PI / 180, cos = Math.cos(angle), sin = Math.sin(angle);
  const root = Math.sqrt(look.stretch), per_x = side / (at.side * root), per_y = side * root / at.side;
  const mirror = look.mirrored ? -per_x : per_x;
  const reach = at.side * 0.5 * Math.max(root, 1 / root) * (Math.abs(cos) + Math.abs(sin)) *
      (1 + 2 * border_px / side) + 1;
  const x_end = Math.min(frame_side, Math.ceil(at.x + reach)),
    y_end = Math.min(frame_side, Math.ceil(at.y + reach));
  const x_begin = Math.max(0, Math.floor(at.x - reach)), y_begin = Math.max(0, Math.floor(at.y - reach));
  const middle = stride / 2 - 0.5, last = stride - 1;
  const wave = look.wave, bend_x = wave ? wave.along_x * side : 0, bend_y = wave ? wave.along_y * side : 0;
  const rate = wave ? 256 * wave.rate / side : 0, phase = wave ? 256 * wave.phase : 0;
  for (let y = y_begin; y < y_end; y++) {
    const dy = y + 0.5 - at.y;
    for (let x = x_begin; x < x_end; x++) {
      const dx = x + 0.5 - at.x;
      let u = (cos * dx + sin * dy) * mirror + middle, v = (cos * dy - sin * dx) * per_y + middle;
      if (wave) {
        const straight = u;
        u += bend_x * wave_table[(v * rate + phase) & 255]!;
        v += bend_y * wave_table[(straight * rate + phase + 64) & 255]!;
      }
      if (!(u >= 0 && v >= 0 && u < last && v < last)) continue;
      const column = u | 0, row = v | 0, part_x = u - column, part_y = v - row;
      const a = 4 * (row * stride + column), b = a + 4 * stride;
      const w00 = (1 - part_x) * (1 - part_y), w10 = part_x * (1 - part_y);
      const w01 = (1 - part_x) * part_y, w11 = part_x * part_y;
      const alpha = w00 * rgba[a + 3]! + w10 * rgba[a + 7]! + w01 * rgba[b + 3]! + w11 * rgba[b + 7]!;
      if (alpha <= 0) continue;
      const rest = 1 - alpha / 255, to = 3 * (y * frame_side + x);
      frame[to] = frame[to]! * rest + w00 * rgba[a]! + w10 * rgba[a + 4]! + w01 * rgba[b]! +
        w11 * rgba[b + 4]!;
      frame[to + 1] = frame[to + 1]! * rest + w00 * rgba[a + 1]! + w10 * rgba[a + 5]! + w01 * rgba[b + 1]! +
        w11 * rgba[b + 5]!;
      frame[to + 2] = frame[to + 2]! * rest + w00 * rgba[a + 2]! + w10 * rgba[a + 6]! + w01 * rgba[b + 2]! +
        w11 * rgba[b + 6]!;
    }
  }
}
