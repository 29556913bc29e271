// Keeps one stream running: a failed tick must not end it. The memory comes back from disk and the source is opened
// again, later each time. Must not know who asked the stream to run.
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Counters } from "./counters.ts";
import { limits } from "./limits.ts";
import type { FrameSource } from "./ports.ts";
import type { Stream } from "./stream.ts";

export interface SuperviseDeps {
  clock: Clock;
  log: Log;
  counters: Counters;
  /** Makes the memory whole at once, because questions wait for it and need no source. Never rejects. */
  restore(): Promise<void>;
}

/** Resolves when the source ended for good or the signal aborts. Never rejects. */
export async function supervise(
  stream: Stream,
  source: FrameSource,
  deps: SuperviseDeps,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, counters } = deps;
  for (let failures = 0; !signal.aborted; failures++) {
    const ticks_before = counters.ticks;
    try {
      await stream.run(source, signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      log.error("tick failed", { stream: stream.settings.id, error });
      stream.setStatus("reconnecting", `a tick failed and is tried again: ${(error as Error).message}`);
      // Only failures in a row make the next wait longer.
      if (counters.ticks > ticks_before) failures = 0;
      await deps.restore();
      const wait_ms = Math.min(limits.restart_ms_max, limits.restart_ms_min * 2 ** Math.min(failures, 10));
      await clock.sleep(wait_ms, signal);
    }
  }
}
