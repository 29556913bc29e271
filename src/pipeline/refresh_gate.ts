// When policy "refresh" rebuilds: not more often than the cadence, then when the picture changed enough, and anyway after
// a while. All on media time, so that a recording gives the same captions every time. Must not know what a rebuild is.
import { type FrameGate, measureChange } from "./change_gate.ts";
import { limits } from "./limits.ts";
import type { RefreshSettings } from "./refresh_prompt.ts";

/** What `measureChange` counts in. */
const luma_range = 255;

export class RefreshGate implements FrameGate {
  readonly #settings: RefreshSettings;
  readonly #change_on: boolean;
  #thumbnail: Uint8Array | undefined;
  #rebuilt_at_ms = 0;

  /** Without `change_on` every picture that the cadence allows is new. */
  constructor(settings: RefreshSettings, change_on: boolean) {
    this.#settings = settings;
    this.#change_on = change_on;
  }

  get memory(): Uint8Array {
    return this.#thumbnail ?? new Uint8Array(limits.thumbnail_side_px ** 2);
  }

  restore(thumbnail: Uint8Array | undefined, t_media_ms: number): void {
    this.#thumbnail = thumbnail;
    this.#rebuilt_at_ms = t_media_ms;
  }

  admit(thumbnail: Uint8Array, t_media_ms: number): boolean {
    const due = this.#isDue(thumbnail, (t_media_ms - this.#rebuilt_at_ms) / 1000);
    if (due) this.restore(thumbnail, t_media_ms);
    return due;
  }

  #isDue(thumbnail: Uint8Array, passed_s: number): boolean {
    const { cadence_s, every_s, change_min } = this.#settings;
    if (this.#thumbnail === undefined) return true;
    // Who asks for a caption at most every minute does not get one every 30 s because the picture stands still.
    if (passed_s < cadence_s) return false;
    if (!this.#change_on || passed_s >= every_s) return true;
    return measureChange(this.#thumbnail, thumbnail) >= change_min * luma_range;
  }
}
