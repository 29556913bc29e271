// How much the picture changes from tick to tick: all that the frame-difference baseline knows. Must not know scenes
// beyond their pictures.
import { Renderer, type SpriteOf } from "../world/renderer.ts";
import type { Script } from "../world/script.ts";
import { eval_limits } from "./limits.ts";

export interface FrameChange {
  t_s: number;
  /** Mean absolute change of a channel, 0 to 255. */
  change: number;
}

/** The first frame changed nothing. */
export function frameChanges(script: Script, spriteOf: SpriteOf): FrameChange[] {
  const { difference_side_px: side_px, difference_rate_hz: rate_hz } = eval_limits;
  const renderer = new Renderer(script, spriteOf, { width_px: side_px, height_px: side_px });
  const changes: FrameChange[] = [];
  let before: Uint8Array | undefined;
  for (let tick = 0; tick / rate_hz < script.duration_s; tick++) {
    const frame = renderer.frame(tick / rate_hz);
    changes.push({ t_s: tick / rate_hz, change: before ? meanChange(before, frame) : 0 });
    before = frame;
  }
  return changes;
}

function meanChange(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += Math.abs(a[at]! - b[at]!);
  return sum / a.length;
}
