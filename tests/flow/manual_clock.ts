// Time in a test's hands: nothing passes until the test says so, and sleepers wake in the order they are due.
import { setImmediate } from "node:timers";
import type { Clock } from "../../src/clock.ts";

interface Sleeper {
  due_ms: number;
  wake(): void;
}

/** Resolves when everything that does not wait for the clock has run as far as it can. */
export function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

export class ManualClock implements Clock {
  /** In order of falling due; of two at the same moment, the one that went to sleep first. */
  #sleepers: Sleeper[] = [];
  #elapsed_ms = 0;
  #epoch_ms: number;

  constructor(epoch_ms = 1_700_000_000_000) {
    this.#epoch_ms = epoch_ms;
  }

  now_ms(): number {
    return this.#epoch_ms + this.#elapsed_ms;
  }

  monotonic_ms(): number {
    return this.#elapsed_ms;
  }

  sleep(duration_ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        signal?.removeEventListener("abort", wake);
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      };
      const sleeper = { due_ms: this.#elapsed_ms + Math.max(0, duration_ms), wake };
      const at = this.#sleepers.findIndex((other) => other.due_ms > sleeper.due_ms);
      this.#sleepers.splice(at < 0 ? this.#sleepers.length : at, 0, sleeper);
      signal?.addEventListener("abort", wake, { once: true });
    });
  }

  get sleeping_count(): number {
    return this.#sleepers.length;
  }

  /** Time passes while nobody runs: sleepers wake, but come to their senses only when the caller waits. */
  skip(duration_ms: number): void {
    const target_ms = this.#elapsed_ms + duration_ms;
    for (let next = this.#sleepers[0]; next && next.due_ms <= target_ms; next = this.#sleepers[0]) {
      this.#elapsed_ms = next.due_ms;
      next.wake();
    }
    this.#elapsed_ms = target_ms;
  }

  /** Time passes, and everybody does what is due at its moment. */
  async advance(duration_ms: number): Promise<void> {
    const target_ms = this.#elapsed_ms + duration_ms;
    await settle();
    for (let next = this.#sleepers[0]; next && next.due_ms <= target_ms; next = this.#sleepers[0]) {
      this.#elapsed_ms = Math.max(this.#elapsed_ms, next.due_ms);
      next.wake();
      await settle();
    }
    this.#elapsed_ms = Math.max(this.#elapsed_ms, target_ms);
  }

  /** The wall clock is set, as by a time server; the monotonic one does not notice. */
  setWall(change_ms: number): void {
    this.#epoch_ms += change_ms;
  }
}
