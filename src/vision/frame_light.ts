// How bright a frame is and how much of it changed: what a frame's vectors tell beside its objects. The definition;
// onnx/object_slots.ts is the same as a graph. Pure; must not know objects.
import type { FrameLight } from "./slots.ts";

/** Of red, green and blue. */
export const luma_weights: readonly [number, number, number] = [0.299, 0.587, 0.114];

/** Two frames of one size, uint8 RGB. */
export function frameLight(before: Uint8Array, now: Uint8Array): FrameLight {
  let change = 0;
  for (let at = 0; at < now.length; at++) change += Math.abs(now[at]! - before[at]!);
  return {
    luma: meanLuma(now),
    luma_before: meanLuma(before),
    change: change / (255 * now.length),
  };
}

function meanLuma(frame: Uint8Array): number {
  const [red, green, blue] = luma_weights;
  let sum = 0;
  for (let at = 0; at < frame.length; at += 3) {
    sum += red * frame[at]! + green * frame[at + 1]! + blue * frame[at + 2]!;
  }
  return sum * 3 / (255 * frame.length);
}
