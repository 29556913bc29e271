// Media time of a pushed source. The publisher's clock is believed as long as it runs like ours: it starts anew with
// every connection, and a page may send anything. Pure. Must not know decoders.
import { source_limits } from "./limits.ts";

export class PushClock {
  /** Newest media time given, and our clock then. */
  #newest: { t_media_ms: number; arrived_ms: number } | undefined;
  /** First message of this connection: publisher's clock, our clock, and the media time it was given. */
  #anchor: { t_us: number; arrived_ms: number; t_media_ms: number } | undefined;

  /** `start_at_ms`: media time of the first message of all. */
  constructor(readonly start_at_ms: number) {}

  /** Another connection: its clock has nothing to do with the one before. */
  reconnect() {
    this.#anchor = undefined;
  }

  /** Media time of a message with this clock value that arrived at `now_ms` of a clock that never goes back. */
  map(t_us: number, now_ms: number): number {
    const anchor = this.#anchor ??= { t_us, arrived_ms: now_ms, t_media_ms: this.at(now_ms) };
    const by_us_ms = anchor.t_media_ms + (t_us - anchor.t_us) / 1_000;
    const by_arrival_ms = anchor.t_media_ms + now_ms - anchor.arrived_ms;
    let t_media_ms = by_us_ms;
    if (Math.abs(by_us_ms - by_arrival_ms) > source_limits.push_clock_drift_ms_max) {
      t_media_ms = by_arrival_ms;
      this.#anchor = { t_us, arrived_ms: now_ms, t_media_ms };
    }
    t_media_ms = Math.max(t_media_ms, this.#newest?.t_media_ms ?? this.start_at_ms);
    this.#newest = { t_media_ms, arrived_ms: now_ms };
    return t_media_ms;
  }

  /** Media time now: it goes on while nobody sends. */
  at(now_ms: number): number {
    if (!this.#newest) return this.start_at_ms;
    return this.#newest.t_media_ms + Math.max(0, now_ms - this.#newest.arrived_ms);
  }
}
