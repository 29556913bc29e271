// Visual-change gate: is there anything new to see? Compares small luma thumbnails with that of the frame fed last,
// so that a slow drift adds up and is seen. Must not know where frames come from.
import { limits } from "./limits.ts";

/** Luma means of a grid of side x side cells. `rgb`: width x height x 3, row-major. One byte a cell. */
export function makeThumbnail(rgb: Uint8Array, width_px: number, height_px: number): Uint8Array {
  const side = limits.thumbnail_side_px;
  const cells = new Uint8Array(side * side);
  for (let row = 0; row < side; row++) {
    const top = Math.floor((row * height_px) / side);
    const bottom = Math.max(top + 1, Math.floor(((row + 1) * height_px) / side));
    for (let column = 0; column < side; column++) {
      const left = Math.floor((column * width_px) / side);
      const right = Math.max(left + 1, Math.floor(((column + 1) * width_px) / side));
      let sum = 0;
      for (let y = top; y < bottom; y++) {
        for (let at = (y * width_px + left) * 3; at < (y * width_px + right) * 3; at += 3) {
          // Rec. 601 luma in 1/256.
          sum += 77 * rgb[at]! + 150 * rgb[at + 1]! + 29 * rgb[at + 2]!;
        }
      }
      cells[row * side + column] = sum / ((bottom - top) * (right - left) * 256);
    }
  }
  return cells;
}

/**
 * The largest mean absolute luma change (0..255) over the four quadrants and the whole: a small object that moves in
 * one corner must not be averaged away by a still picture.
 */
export function measureChange(before: Uint8Array, after: Uint8Array): number {
  const side = limits.thumbnail_side_px;
  const half = side / 2;
  const sums = [0, 0, 0, 0];
  for (let cell = 0; cell < side * side; cell++) {
    const quadrant = (cell >= side * half ? 2 : 0) + (cell % side >= half ? 1 : 0);
    sums[quadrant]! += Math.abs(after[cell]! - before[cell]!);
  }
  return Math.max(...sums) / (half * half);
}

/** Which frames are worth a tick. Remembers the one admitted last, by its thumbnail and media time. */
export interface FrameGate {
  /** What is written down with the tick of the frame admitted last, and what `restore` takes. */
  readonly memory: Uint8Array;
  /** Takes up where a snapshot or a journal left off; without a memory the next frame is admitted. */
  restore(memory: Uint8Array | undefined, t_media_ms: number): void;
  /** True when the frame is worth a tick. The caller feeds it then: the gate remembers it as the one fed last. */
  admit(thumbnail: Uint8Array, t_media_ms: number): boolean;
}

const cells = limits.thumbnail_side_px ** 2;

export class ChangeGate implements FrameGate {
  #thumbnail: Uint8Array | undefined;
  #fed_at_ms = 0;
  /** Still frames fed since the last one that changed. */
  #rest_frames = 0;

  constructor(readonly on: boolean) {}

  /** The thumbnail and, in one byte more, the frames at rest: a restart must go on with the same decisions. */
  get memory(): Uint8Array {
    return Uint8Array.of(...this.#thumbnail ?? new Uint8Array(cells), this.#rest_frames);
  }

  restore(memory: Uint8Array | undefined, t_media_ms: number): void {
    this.#thumbnail = memory?.subarray(0, cells);
    // What was written before there was such a byte counts as long at rest.
    this.#rest_frames = memory?.[cells] ?? limits.still_frames_fed;
    this.#fed_at_ms = t_media_ms;
  }

  admit(thumbnail: Uint8Array, t_media_ms: number): boolean {
    const before = this.#thumbnail;
    const still = before !== undefined && measureChange(before, thumbnail) < limits.change_threshold;
    const rested = still && this.#rest_frames >= limits.still_frames_fed;
    if (this.on && rested && t_media_ms - this.#fed_at_ms < limits.still_ms_max) return false;
    if (!still) this.#rest_frames = 0;
    else if (!rested) this.#rest_frames++;
    this.#thumbnail = thumbnail;
    this.#fed_at_ms = t_media_ms;
    return true;
  }
}
