// Narrators without eyes or without a mind: what their lines score beside a model's says what its score is worth.
// Fitted on training scenes alone. Must not know answers, models or reports.
import { Dice } from "../world/dice.ts";
import type { WorldEvent } from "../world/events.ts";
import { tell } from "../world/lines.ts";
import { labelTicks } from "../world/ticks.ts";
import { addCounts, ratesOf, scoreEvents } from "./event_score.ts";
import type { Exam } from "./exam.ts";
import type { FrameChange } from "./frame_changes.ts";
import { eval_limits } from "./limits.ts";
import { factOf, type Line, toldBy } from "./told.ts";

export interface SeenExam {
  exam: Exam;
  /** Absent where no pictures were made. */
  changes?: readonly FrameChange[];
}

export const narrator_names = ["always_silent", "always_speak", "fixed_timer", "frame_difference"] as const;
export type NarratorName = typeof narrator_names[number];

export interface FittedNarrators {
  /** The line that is right most often. */
  line: string;
  timer: { period_s: number; delay_s: number };
  /** Change from which the picture counts as changed; Infinity without pictures to fit it on. */
  threshold: number;
}

const periods_s = [1, 2, 3, 4, 6, 8, 12, 20, 30], delay_shares = [0, 0.25, 0.5, 0.75];

export function fitNarrators(scenes: readonly SeenExam[], rate_hz: number): FittedNarrators {
  const line = mostFrequentLine(scenes.flatMap(({ exam }) => exam.events));
  const timers = periods_s.flatMap((period_s) =>
    delay_shares.map((share) => ({ period_s, delay_s: share * period_s }))
  );
  const draft = { line, timer: timers[0]!, threshold: Infinity };
  const timer = best(
    timers,
    (one) => f1Of(scenes, (scene) => linesOf("fixed_timer", { ...draft, timer: one }, scene, rate_hz)),
  );
  const seen = scenes.filter(({ changes }) => changes);
  const changes = seen.flatMap((scene) => scene.changes!.map(({ change }) => change)).sort((a, b) => a - b);
  const thresholds = [0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99]
    .map((share) => changes[Math.floor(share * changes.length)] ?? Infinity);
  const threshold = best(
    thresholds,
    (one) => f1Of(seen, (scene) => linesOf("frame_difference", { ...draft, threshold: one }, scene, rate_hz)),
  );
  return { line, timer, threshold };
}

/** Rounded to whole ticks: these narrators speak when a model could. */
export function linesOf(
  name: NarratorName,
  { line, timer, threshold }: FittedNarrators,
  { exam, changes }: SeenExam,
  rate_hz: number,
): Line[] {
  const { duration_s } = exam.script;
  switch (name) {
    case "always_silent":
      return [];
    case "always_speak":
      return every(1 / rate_hz, 0, duration_s).map((t_s) => ({ t_s, text: line }));
    case "fixed_timer":
      return every(timer.period_s, timer.delay_s, duration_s)
        .map((t_s) => ({ t_s: Math.round(t_s * rate_hz) / rate_hz, text: line }));
    case "frame_difference": {
      const lines: Line[] = [];
      for (const { t_s, change } of changes ?? []) {
        const since_s = t_s - (lines.at(-1)?.t_s ?? -Infinity);
        if (change >= threshold && since_s >= eval_limits.difference_pause_s) lines.push({ t_s, text: line });
      }
      return lines;
    }
  }
}

/** The right lines, said that much after the first tick at which they can be. */
export function oracleLines({ script, events }: Exam, rate_hz: number, delay_s: number): Line[] {
  return labelTicks(events, { duration_s: script.duration_s, rate_hz }, new Dice(script.seed, "oracle"))
    .flatMap(({ t_s, line }) => line === undefined ? [] : [{ t_s: t_s + delay_s, text: line }]);
}

function every(period_s: number, from_s: number, until_s: number): number[] {
  const times: number[] = [];
  for (let index = 0; from_s + index * period_s < until_s; index++) times.push(from_s + index * period_s);
  return times;
}

function mostFrequentLine(events: readonly WorldEvent[]): string {
  const counts = new Map<string, { event: WorldEvent; count: number }>();
  for (const event of events) {
    const entry = counts.get(factOf(event)) ?? { event, count: 0 };
    entry.count++;
    counts.set(factOf(event), entry);
  }
  const most = [...counts.values()].sort((a, b) => b.count - a.count)[0];
  return most ? tell({ event: most.event }, new Dice(1, "line")) : "nothing happens";
}

function f1Of(scenes: readonly SeenExam[], narrate: (scene: SeenExam) => Line[]): number {
  const counts = scenes.map((scene) => scoreEvents(scene.exam.events, toldBy(narrate(scene))).strict);
  return ratesOf(addCounts(counts)).f1 ?? 0;
}

/** The first of the best. */
function best<T>(candidates: readonly T[], worth: (one: T) => number): T {
  const rated = candidates.map((one) => ({ one, worth: worth(one) }));
  return rated.reduce((most, next) => next.worth > most.worth ? next : most).one;
}
