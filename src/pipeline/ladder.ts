// The snapshot ladder: dense for the last minute, thinner the older it gets. Pure: says which snapshots to drop.
import { limits } from "./limits.ts";

/**
 * Ticks of the snapshots that are not worth keeping, given all of them as (tick, media time) in any order. Of every
 * rung's time slot the oldest snapshot stays, so what stays does not move as time goes on. The newest
 * `snapshot_generations` always stay.
 */
export function thinSnapshots(snapshots: readonly { tick: number; t_media_ms: number }[]): number[] {
  const newest_first = [...snapshots].sort((a, b) => b.tick - a.tick);
  const now_ms = newest_first[0]?.t_media_ms ?? 0;
  const kept = new Map<string, number>();
  const dropped: number[] = [];
  newest_first.forEach((snapshot, index) => {
    if (index < limits.snapshot_generations) return;
    const age_ms = now_ms - snapshot.t_media_ms;
    const rung = limits.snapshot_ladder.find((step) => age_ms <= step.age_ms);
    if (!rung) return void dropped.push(snapshot.tick);
    const slot = `${rung.every_ms}:${Math.floor(snapshot.t_media_ms / rung.every_ms)}`;
    // Walking from new to old, an older one in the same slot takes the place of the newer.
    const rival = kept.get(slot);
    if (rival !== undefined) dropped.push(rival);
    kept.set(slot, snapshot.tick);
  });
  return dropped;
}

/** Snapshots that a full ladder holds at most. */
export const snapshots_max: number = limits.snapshot_generations + limits.snapshot_ladder.reduce(
  (sum, rung, index) =>
    sum + Math.ceil((rung.age_ms - (limits.snapshot_ladder[index - 1]?.age_ms ?? 0)) / rung.every_ms) + 1,
  0,
);
