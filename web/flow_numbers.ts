// The counts of a stream arranged as its six stages and the arrows between them. Pure.
import type { StreamStats } from "../src/wire/mod.ts";

export interface FlowLoss {
  count: number;
  why: string;
}

export interface FlowStage {
  name: string;
  count: number;
  unit: string;
  note?: string;
  /** Of the arrow to the next stage; the last stage has none. */
  losses?: readonly FlowLoss[];
}

export interface FlowExtras {
  vectors_per_frame: number | undefined;
  viewer_skipped: number;
  /** Frames are held back until the cadence of captions is over, too. */
  refreshed?: boolean;
}

export function flowOf(stats: StreamStats, extras: FlowExtras): FlowStage[] {
  const { drops } = stats;
  const k = extras.vectors_per_frame;
  return [
    {
      name: "Source",
      count: stats.frames_offered,
      unit: "frames",
      losses: [{ count: drops.refused, why: "refused" }],
    },
    {
      name: "Mailbox",
      count: uncounted(stats),
      unit: "waiting",
      note: drops.empty > 0 ? `${drops.empty} empty ticks` : undefined,
      losses: [{ count: drops.mailbox, why: "replaced by newer" }, {
        count: drops.still,
        why: extras.refreshed ? "not yet, or nothing moved" : "nothing moved",
      }],
    },
    {
      name: "Vision",
      count: stats.frames_fed,
      unit: "frames",
      note: k === undefined ? undefined : `${k} vectors each`,
      losses: [{ count: drops.failed, why: "tick failed" }],
    },
    {
      name: "State",
      count: stats.ticks,
      unit: "ticks",
      losses: [{ count: drops.novelty, why: "said before" }],
    },
    {
      name: "Captions",
      count: stats.captions,
      unit: "captions",
      losses: [{ count: extras.viewer_skipped, why: "live updates to this page" }],
    },
    { name: "Viewers", count: stats.viewers, unit: stats.viewers === 1 ? "viewer" : "viewers" },
  ];
}

/** Frames neither fed nor dropped: one in the mailbox and one in its tick at most. Anything else would be a fault. */
export function uncounted(stats: StreamStats): number {
  const { frames_offered, frames_fed, drops } = stats;
  return frames_offered - frames_fed - drops.mailbox - drops.still - drops.failed;
}
