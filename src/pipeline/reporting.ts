// The numbers of every stream, told at a steady pace: what it did, and what was dropped since. Must not know viewers.
import type { Clock } from "../clock.ts";
import type { Entry } from "./entry.ts";
import { limits } from "./limits.ts";
import type { StreamEvent } from "./surface.ts";

/** Resolves when the signal aborts. */
export async function reportStats(
  entries: ReadonlyMap<string, Entry>,
  emit: (event: StreamEvent) => void,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(limits.stats_every_ms, signal);
    for (const entry of entries.values()) {
      const { stats } = entry.view();
      emit({ type: "stats", stream: entry.id, stats });
      const drops = entry.counters.news(stats.drops);
      if (drops) emit({ type: "drop.report", stream: entry.id, drops });
    }
  }
}
