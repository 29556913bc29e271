// What the machine took for an evaluation: times and counts of all scenes together. Must not know scores.
import type { Sitting } from "../eval/exam.ts";
import type { Machine } from "../eval/report.ts";
import type { Played } from "./eval_house.ts";

export function machineOf(all: readonly Played[], sittings: readonly Sitting[]): Machine {
  const sum = (of: (one: Played) => number) => all.reduce((total, one) => total + of(one), 0);
  const known = (of: (one: Played) => number | null) => all.map(of).filter((value) => value !== null);
  const ages_ms = all.flatMap(({ captions }) => captions.map(({ caption_age_ms }) => caption_age_ms));
  const asks_ms = sittings.flatMap(({ answers }) => answers.flatMap(({ took_ms }) => took_ms ?? []));
  const wall_ms = sum(({ wall_ms }) => wall_ms);
  const video_s = sittings.reduce((total, { exam }) => total + exam.script.duration_s, 0);
  return {
    caption_age_p50_ms: percentile(ages_ms, 0.5),
    caption_age_p95_ms: percentile(ages_ms, 0.95),
    // Of the scenes' own percentiles the middle one and the worst.
    step_p50_ms: percentile(known(({ stats }) => stats.step_p50_ms), 0.5),
    step_p95_ms: percentile(known(({ stats }) => stats.step_p95_ms), 1),
    state_bytes: all[0]?.stats.state_bytes ?? 0,
    ask_p50_ms: percentile(asks_ms, 0.5),
    ask_p95_ms: percentile(asks_ms, 0.95),
    frames: sum(({ stats }) => stats.frames_offered),
    fed: sum(({ stats }) => stats.frames_fed),
    still: sum(({ stats }) => stats.drops.still),
    novelty: sum(({ stats }) => stats.drops.novelty),
    failed: sum(({ stats }) => stats.drops.failed),
    speed: wall_ms === 0 ? null : video_s * 1000 / wall_ms,
  };
}

function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
}
