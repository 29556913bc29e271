// Frames of a scene: backdrop, objects in order, light, shake and noise, frozen and black times. The same script, size
// and time give the same frame on every machine that adds floats alike. Must not know files, video or words.
import { paintBackdrop } from "./backdrop.ts";
import { Dice } from "./dice.ts";
import type { Script } from "./script.ts";
import { drawSprite, type Look, plain_look, type Sprite } from "./sprite.ts";
import { poseAt } from "./tracks.ts";

/** The picture of a thing in a style; throws when there is none. */
export type SpriteOf = (style: string, name: string) => Sprite;

export interface RenderOptions {
  width_px: number;
  height_px: number;
  /** How an object is changed, for training; the same object always gets the same. */
  lookOf?: (id: number) => Look;
}

const noise_table_length = 1 << 16;

export class Renderer {
  readonly #script: Script;
  readonly #spriteOf: SpriteOf;
  readonly #options: RenderOptions;
  #backdrop: { from_s: number; picture: Float32Array } | undefined;
  readonly #noise: Float32Array;

  constructor(script: Script, spriteOf: SpriteOf, options: RenderOptions) {
    this.#script = script;
    this.#spriteOf = spriteOf;
    this.#options = options;
    this.#noise = normalNoise(new Dice(script.seed, "noise"), noise_table_length);
  }

  /** uint8 RGB, height x width x 3. */
  frame(t_s: number): Uint8Array<ArrayBuffer> {
    const { width_px, height_px } = this.#options;
    const { nuisance } = this.#script;
    const out = new Uint8Array(width_px * height_px * 3);
    if (nuisance.black.some(({ from_s, until_s }) => t_s >= from_s && t_s < until_s)) return out;
    const frozen = nuisance.freezes.find(({ from_s, until_s }) => t_s >= from_s && t_s < until_s);
    // A frozen picture keeps its noise as well.
    const at_s = frozen ? frozen.from_s : t_s;
    this.#finish(this.#paint(at_s), at_s, out);
    return out;
  }

  #paint(t_s: number): Float32Array {
    const { width_px, height_px, lookOf } = this.#options;
    const { objects, style, seed, nuisance } = this.#script;
    const frame = this.#backdropAt(t_s).slice();
    const dice = new Dice(seed, `shake ${Math.round(t_s * 1000)}`);
    const shift = () => nuisance.shake * dice.real(-1, 1);
    const [shift_x, shift_y] = [shift(), shift()];
    const side = Math.min(width_px, height_px);
    for (const object of objects) {
      const pose = poseAt(object, t_s);
      if (!pose) continue;
      const at = {
        x: (pose.x + shift_x) * width_px,
        y: (pose.y + shift_y) * height_px,
        side: pose.size * side,
        angle_deg: pose.angle_deg,
      };
      const look = lookOf?.(object.id) ?? plain_look;
      drawSprite(frame, width_px, height_px, this.#spriteOf(style, object.name), at, look);
    }
    return frame;
  }

  #backdropAt(t_s: number): Float32Array {
    const { width_px, height_px } = this.#options;
    const { backgrounds } = this.#script;
    const background = backgrounds.findLast(({ from_s }) => from_s <= t_s) ?? backgrounds[0]!;
    if (this.#backdrop?.from_s !== background.from_s) {
      const picture = paintBackdrop(background, width_px, height_px);
      this.#backdrop = { from_s: background.from_s, picture };
    }
    return this.#backdrop!.picture;
  }

  #finish(frame: Float32Array, t_s: number, out: Uint8Array): void {
    const gain = this.#gainAt(t_s);
    const deviation = 255 * this.#script.nuisance.noise;
    const noise = this.#noise, mask = noise_table_length - 1;
    const from = new Dice(this.#script.seed, `grain ${Math.round(t_s * 1000)}`).between(0, mask);
    for (let at = 0; at < frame.length; at++) {
      // A stride that shares no factor with the table, so that neighbouring rows do not repeat.
      const value = frame[at]! * gain + deviation * noise[(from + at * 40_503) & mask]!;
      out[at] = value < 0 ? 0 : value > 255 ? 255 : Math.round(value);
    }
  }

  #gainAt(t_s: number): number {
    const { light } = this.#script;
    if (light.length === 0) return 1;
    const next = light.findIndex((key) => key.t_s > t_s);
    if (next === 0) return light[0]!.gain;
    if (next < 0) return light.at(-1)!.gain;
    const a = light[next - 1]!, b = light[next]!;
    return a.gain + (b.gain - a.gain) * (t_s - a.t_s) / (b.t_s - a.t_s);
  }
}

/** Box-Muller. */
function normalNoise(dice: Dice, count: number): Float32Array {
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - dice.share())) * Math.cos(2 * Math.PI * dice.share()),
  );
}
