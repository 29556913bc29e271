// The one source of time. The pipeline never calls Date.now or setTimeout itself, so tests run days in a second.

/** Time and timers. `now_ms` is wall-clock milliseconds since the epoch; `monotonic_ms` never goes backwards. */
export interface Clock {
  now_ms(): number;
  monotonic_ms(): number;
  /** Resolves after `duration_ms`, or at once when the signal aborts (it never rejects). */
  sleep(duration_ms: number, signal?: AbortSignal): Promise<void>;
}

export const system_clock: Clock = {
  now_ms: () => Date.now(),
  monotonic_ms: () => performance.now(),
  sleep(duration_ms, signal) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, duration_ms);
      signal?.addEventListener("abort", done, { once: true });
    });
  },
};

/** Timers of this runtime end at 2^31 - 1 ms, 24.8 days; a stream runs for longer. Infinity is allowed. */
export async function sleepLong(clock: Clock, duration_ms: number, signal: AbortSignal): Promise<void> {
  const step_ms_max = 86_400_000;
  for (let left_ms = duration_ms; left_ms > 0 && !signal.aborted; left_ms -= step_ms_max) {
    await clock.sleep(Math.min(left_ms, step_ms_max), signal);
  }
}
