// Forgets captions and answers older than the operator wants to keep, once an hour. Snapshots have their own ladder.
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

const every_ms = 3_600_000;
const day_ms = 86_400_000;

export interface Retention {
  /** Days to keep; 0 keeps everything. */
  keep_days: number;
  streams(): string[];
  prune(stream: string, before: { captions_before_ms: number; answers_before_ms: number }): Promise<unknown>;
  clock: Clock;
  log: Log;
}

/** Runs until the signal aborts. A failure is logged and tried again the next hour. */
export async function keepTidy(
  { keep_days, streams, prune, clock, log }: Retention,
  signal: AbortSignal,
): Promise<void> {
  while (keep_days > 0 && !signal.aborted) {
    const before_ms = clock.now_ms() - keep_days * day_ms;
    for (const stream of streams()) {
      const before = { captions_before_ms: before_ms, answers_before_ms: before_ms };
      await prune(stream, before).catch((error) => log.error("old captions not removed", { stream, error }));
    }
    await clock.sleep(every_ms, signal);
  }
}
