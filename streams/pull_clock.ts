// Media time of a pulled source: the recording's own grid, or the time of arrival. It goes on over reconnects and
// laps and never back. Must not know decoders.
import type { FrameRequest } from "./frame.ts";
import type { SourceClock } from "./source_deps.ts";

export class PullClock {
  /** Frames stamped since the run began, and the places of those that were missed while a live stream was away. */
  frame_count = 0;
  readonly #step_ms: number;
  readonly #start_at_ms: number;
  readonly #rate_hz: number;
  /** `start_at_ms` as a frame number when it is one, so that stamps of two runs are equal to the last bit. */
  readonly #start_index: number | undefined;
  #last_ms = -1;
  #first_arrival_ms: number | undefined;
  /** Where in the recording the current lap began, and how many frames had been stamped then. */
  #lap: { from_ms: number; frame_count: number };

  constructor(request: Pick<FrameRequest, "rate_hz" | "start_at_ms">, readonly clock: SourceClock) {
    this.#rate_hz = request.rate_hz;
    this.#step_ms = 1_000 / request.rate_hz;
    this.#start_at_ms = request.start_at_ms;
    const index = request.start_at_ms / this.#step_ms;
    this.#start_index = Math.abs(index - Math.round(index)) < 1e-6 ? Math.round(index) : undefined;
    this.#lap = { from_ms: request.start_at_ms, frame_count: 0 };
  }

  /** Where in the recording the next frame stands. */
  position_ms(): number {
    return this.#lap.from_ms + (this.frame_count - this.#lap.frame_count) * this.#step_ms;
  }

  /** The next frame is the recording's first; media time goes on. */
  rewind() {
    this.#lap = { from_ms: 0, frame_count: this.frame_count };
  }

  /** The next frame is the first of a live stream that was away: media time goes on by the time that went by. */
  rejoin() {
    if (this.#first_arrival_ms !== undefined) {
      const elapsed_ms = this.clock.monotonic_ms() - this.#first_arrival_ms;
      this.frame_count = Math.max(this.frame_count, Math.ceil(elapsed_ms / this.#step_ms));
    }
    this.rewind();
  }

  /** The start time counted in laps of this many frames. */
  enterLap(lap_frames: number) {
    const lap_ms = lap_frames * this.#step_ms;
    const from_ms = this.#start_index === undefined
      ? this.#start_at_ms % lap_ms
      : (this.#start_index % lap_frames) * this.#step_ms;
    this.#lap = { from_ms, frame_count: this.frame_count };
  }

  /** How far media time ran ahead of the clock on the wall since the first frame. */
  ahead_ms(): number {
    if (this.#first_arrival_ms === undefined) return 0;
    return this.frame_count * this.#step_ms - (this.clock.monotonic_ms() - this.#first_arrival_ms);
  }

  /** Media time of the frame that is here now. */
  stamp(timing: "media" | "arrival"): number {
    this.#first_arrival_ms ??= this.clock.monotonic_ms();
    const t_media_ms = timing === "media" ? this.#gridTime() : this.#elapsed(this.#first_arrival_ms);
    this.frame_count++;
    this.#last_ms = Math.max(this.#last_ms, t_media_ms);
    return this.#last_ms;
  }

  #gridTime(): number {
    if (this.#start_index === undefined) return this.#start_at_ms + this.frame_count * 1_000 / this.#rate_hz;
    return (this.#start_index + this.frame_count) * 1_000 / this.#rate_hz;
  }

  #elapsed(first_arrival_ms: number): number {
    // Whole milliseconds are enough here, but two frames never share one.
    return Math.max(
      this.#last_ms + 1,
      Math.round(this.#start_at_ms + this.clock.monotonic_ms() - first_arrival_ms),
    );
  }
}
