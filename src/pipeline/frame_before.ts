// The frame one tick before, for towers that see motion in two frames. Holds one frame. Must not know gates, memories or
// what a frame becomes.
import { limits } from "./limits.ts";
import type { Picture } from "./ports.ts";

interface SeenFrame extends Picture {
  tick: number;
  t_media_ms: number;
}

export class FrameBefore {
  readonly #tick_ms: number;
  #newest: SeenFrame | undefined;

  constructor(tick_rate_hz: number) {
    this.#tick_ms = 1000 / tick_rate_hz;
  }

  /**
   * Remembers this frame for the next one; returns the one before, if it is about a tick older. Undefined behind a gap, for
   * a second frame of the same tick, and when the size has changed.
   */
  exchange(frame: SeenFrame): Picture | undefined {
    const before = this.#newest;
    if (before !== undefined && frame.tick === before.tick) return undefined;
    this.#newest = frame;
    if (before === undefined) return undefined;
    const ticks = (frame.t_media_ms - before.t_media_ms) / this.#tick_ms;
    const fits = ticks >= limits.frame_before_ticks_min && ticks <= limits.frame_before_ticks_max &&
      frame.width_px === before.width_px && frame.height_px === before.height_px;
    return fits ? before : undefined;
  }

  /** What was seen belongs to a time that is undone. */
  forget(): void {
    this.#newest = undefined;
  }
}
