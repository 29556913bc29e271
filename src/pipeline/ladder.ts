// The snapshot ladder: dense for the last minute, thinner the older it gets. Pure: says which snapshots to drop.
import { limits } from "./limits.ts";

/**
 * Ticks of the snapshots that are not worth keeping, given all of them as (tick, media time) in any order. Of every
 * rung's time slot the oldest snapshot stays, so what stays does not move as time goes on: slots of a rung lie inside
 * those of the next, and thinning often keeps the same as thinning once. The newest `snapshot_generations` always stay.
 */
export function thinSnapshots(snapshots: readonly { tick: number; t_media_ms: number }[]): number[] {
  const oldest_first = [...snapshots].sort((a, b) => a.tick - b.tick);
  const now_ms = oldest_first.at(-1)?.t_media_ms ?? 0;
  const newest_at = oldest_first.length - limits.snapshot_generations;
  const taken = new Set<string>();
  const dropped: number[] = [];
  oldest_first.forEach(({ tick, t_media_ms }, index) => {
    const slotOf = (every_ms: number) => `${every_ms}:${Math.floor(t_media_ms / every_ms)}`;
    const rung = limits.snapshot_ladder.find((step) => now_ms - t_media_ms <= step.age_ms);
    const worthy = rung !== undefined && !taken.has(slotOf(rung.every_ms));
    if (index < newest_at && !worthy) dropped.push(tick);
    // An older one takes the slot even when it stands on the next rung by now: it had this one until then.
    for (const step of limits.snapshot_ladder) taken.add(slotOf(step.every_ms));
  });
  return dropped;
}

/** Snapshots that a full ladder holds at most. */
export const snapshots_max: number = limits.snapshot_generations + limits.snapshot_ladder.reduce(
  (sum, rung, index) =>
    sum + Math.ceil((rung.age_ms - (limits.snapshot_ladder[index - 1]?.age_ms ?? 0)) / rung.every_ms) + 1,
  0,
);
