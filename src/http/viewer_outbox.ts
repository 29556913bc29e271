// What may wait for one viewer, and what is skipped when it is slow. Deltas, stats and pictures are worth nothing later
// and are skipped; everything else is sent, until it is too much and the viewer is cut off. Must not know messages.
import type { WebSocket } from "ws";
import type { Clock } from "../clock.ts";
import { limits } from "../pipeline/limits.ts";
import { http_limits } from "./limits.ts";

export interface OutboxOptions {
  clock: Clock;
  /** Above the soft bound for so long, the viewer is cut off. */
  stall_ms: number;
  /** There is room again for what was held back. */
  onRoom(): void;
  /** There is room, and so many were skipped since the last report. Once per second at most. */
  onSkipped(count: number): void;
  onSlow(reason: string): void;
}

export class Outbox {
  readonly #ws: WebSocket;
  readonly #options: OutboxOptions;
  #waiting_events = 0;
  /** Captions that stay in the log because there is no room. */
  #held_back = 0;
  #skipped = 0;
  #busy_since_ms: number | undefined;
  #ended = false;

  constructor(ws: WebSocket, options: OutboxOptions) {
    this.#ws = ws;
    this.#options = options;
  }

  /** True above the soft bound, in events or bytes. */
  get busy(): boolean {
    return this.#waiting_events > limits.viewer_events_soft ||
      this.#ws.bufferedAmount > http_limits.viewer_bytes_soft;
  }

  /** Sends what must arrive. `onLeft` runs when the kernel has taken it. */
  send(data: string | Uint8Array, onLeft?: () => void): void {
    if (this.#ended || this.#ws.readyState !== this.#ws.OPEN) return;
    this.#waiting_events++;
    this.#ws.send(data, (error) => {
      this.#waiting_events--;
      if (error || this.#ended) return;
      onLeft?.();
      this.#noticeRoom();
    });
    this.#noticeLoad();
  }

  /** Sends what nobody misses, when there is room. Data is made only then. */
  offer(make: () => string | Uint8Array, kind: "text" | "picture"): void {
    const full = this.busy ||
      (kind === "picture" && this.#ws.bufferedAmount > http_limits.viewer_picture_bytes);
    if (full) {
      this.#skipped++;
      this.#noticeLoad();
    } else this.send(make());
  }

  /** A caption waits in the log instead of here. */
  holdBack(): void {
    this.#held_back++;
    this.#noticeLoad();
  }

  /** Called about once per second: a viewer that takes nothing causes no other event. */
  check(): void {
    this.#noticeLoad();
    this.#noticeRoom();
    if (this.#skipped === 0 || this.#ended || this.busy) return;
    const count = this.#skipped;
    this.#skipped = 0;
    this.#options.onSkipped(count);
  }

  end(): void {
    this.#ended = true;
  }

  #noticeLoad(): void {
    if (this.#ended) return;
    const { clock, stall_ms } = this.#options;
    const now_ms = clock.monotonic_ms();
    if (this.busy) this.#busy_since_ms ??= now_ms;
    const slow_ms = this.#busy_since_ms === undefined ? 0 : now_ms - this.#busy_since_ms;
    const events = this.#waiting_events + this.#held_back;
    const bytes = this.#ws.bufferedAmount;
    if (events > limits.viewer_events_max) this.#cutOff(`${events} events wait`);
    else if (bytes > http_limits.viewer_bytes_max) this.#cutOff(`${bytes} bytes wait`);
    else if (slow_ms > stall_ms) this.#cutOff(`${bytes} bytes wait for ${Math.round(slow_ms / 1000)} s`);
  }

  #noticeRoom(): void {
    if (this.#ended || this.busy) return;
    this.#busy_since_ms = undefined;
    if (this.#held_back === 0) return;
    this.#held_back = 0;
    this.#options.onRoom();
  }

  #cutOff(reason: string): void {
    this.#ended = true;
    this.#options.onSlow(reason);
  }
}
