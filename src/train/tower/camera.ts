// What a camera, a codec and a scaler do to a pair of frames: light, noise, softness and blocks. Must not know what the
// frames show.
import type { Dice } from "../../world/dice.ts";
import { passCodec } from "./codec.ts";

export interface Camera {
  gain_before: number;
  gain: number;
  /** Standard deviation, in shares of the brightness range. */
  noise: number;
  /** Shift of everything in front of the backdrop, frame sides. */
  shake_before: readonly [number, number];
  shake: readonly [number, number];
  /** Weight of each neighbour along an axis; negative sharpens. 0 for none. */
  soften: number;
  /** Size of the quantisation steps, 0 for no codec. */
  codec_step: number;
  /** Blocks that changed by less (0..255, mean) are taken over from the frame before; 0 for none. */
  codec_skip: number;
  /** Where the first whole block begins, pixels. */
  codec_offset: number;
  black_before: boolean;
  black: boolean;
  /** Where in the noise table each frame begins. */
  grain_before: number;
  grain: number;
}

/** More than the numbers of a frame of 144 pixels, so that no frame sees the same noise twice. */
const noise_table_length = 1 << 16;

export function inventCamera(dice: Dice, still: boolean): Camera {
  const gain = dice.real(0.7, 1.18);
  const sudden = dice.chance(0.06), drift = dice.chance(0.3);
  const ratio = sudden ? dice.real(0.6, 1.6) : drift ? dice.real(0.96, 1.04) : 1;
  const shake = dice.chance(0.3) ? 0.012 : 0;
  const shift = () => [dice.real(-shake, shake), dice.real(-shake, shake)] as const;
  const softened = dice.chance(0.3), coded = dice.chance(0.3);
  const noise = dice.chance(0.2) ? 0 : dice.chance(0.6) ? dice.real(0, 0.03) : dice.real(0.03, 0.07);
  const black = !still && dice.chance(0.02) ? dice.share() : 1;
  return {
    gain_before: Math.min(1.3, gain * ratio),
    gain,
    noise,
    shake_before: shift(),
    shake: shift(),
    soften: softened ? dice.real(-0.08, 0.25) : 0,
    codec_step: coded ? dice.real(2, 16) : 0,
    codec_skip: coded && dice.chance(0.6) ? dice.real(0.5, 1.5) * (255 * noise + 1) : 0,
    codec_offset: dice.between(0, 7),
    black_before: black < 0.5,
    black: black >= 0.5 && black < 1,
    grain_before: dice.between(0, noise_table_length - 1),
    grain: dice.between(0, noise_table_length - 1),
  };
}

/** Develops pairs of square frames. Not for two at a time. */
export class Darkroom {
  readonly #side_px: number;
  readonly #noise: Float32Array;
  readonly #scratch: Float32Array;

  constructor(side_px: number, noise: Dice) {
    this.#side_px = side_px;
    this.#noise = normalNoise(noise, noise_table_length);
    this.#scratch = new Float32Array(side_px * side_px * 3);
  }

  /** Float RGB (0..255, changed on the way) to bytes; without `now` the one frame is both. */
  develop(before: Float32Array, now: Float32Array | undefined, camera: Camera, out: Uint8Array): void {
    const frames = now ? [before, now] : [before];
    frames.forEach((frame, index) => {
      const newest = index === frames.length - 1;
      const black = newest ? camera.black : camera.black_before;
      if (black) return frame.fill(0);
      this.#expose(
        frame,
        newest ? camera.gain : camera.gain_before,
        camera.noise,
        newest ? camera.grain : camera.grain_before,
      );
      if (camera.soften !== 0) this.#soften(frame, camera.soften);
    });
    if (camera.codec_step > 0) passCodec(frames, this.#side_px, camera);
    const bytes = before.length;
    roundInto(frames[0]!, out.subarray(0, bytes));
    if (now) roundInto(now, out.subarray(bytes));
    else out.copyWithin(bytes, 0, bytes);
  }

  #expose(frame: Float32Array, gain: number, noise: number, from: number): void {
    const deviation = 255 * noise, table = this.#noise, mask = noise_table_length - 1;
    for (let at = 0; at < frame.length; at++) {
      const value = frame[at]! * gain + deviation * table[(from + at) & mask]!;
      frame[at] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
  }

  /** Three neighbours along each axis. */
  #soften(frame: Float32Array, weight: number): void {
    const row = 3 * this.#side_px, scratch = this.#scratch;
    for (const stride of [3, row]) {
      scratch.set(frame);
      const own = 1 - 2 * weight;
      for (let at = row + 3; at < frame.length - row - 3; at++) {
        frame[at] = own * scratch[at]! + weight * (scratch[at - stride]! + scratch[at + stride]!);
      }
    }
  }
}

function roundInto(frame: Float32Array, out: Uint8Array): void {
  new Uint8ClampedArray(out.buffer, out.byteOffset, out.length).set(frame);
}

/** Box-Muller. */
function normalNoise(dice: Dice, count: number): Float32Array {
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - dice.share())) * Math.cos(2 * Math.PI * dice.share()),
  );
}
