// When lines come: early or late, how many events are told within so many seconds, and how soon something right is said.
// Must not know scenes, models or answers.
import type { WorldEvent } from "../world/events.ts";
import { type Graded, gradeEvents, pairEvents, wide } from "./event_score.ts";
import { agrees, type Told } from "./told.ts";

/** Sums, so that scenes add up. */
export interface TimingSums {
  events: number;
  pairs: number;
  /** Of all pairs, of those that were early and of those that were late, each as a length. */
  apart_s: number;
  early: number;
  early_s: number;
  late: number;
  late_s: number;
  /** Events told rightly within 1, 2 and 3 s, either way. */
  within: [number, number, number];
  /** Sum of `progressive` over all events. */
  progressive: number;
  graded: Graded;
}

export function timeEvents(events: readonly WorldEvent[], told: readonly Told[]): TimingSums {
  const pairs = pairEvents(events, told, "strict", wide);
  const early = pairs.filter(({ late_s }) => late_s < 0), late = pairs.filter(({ late_s }) => late_s > 0);
  const length = (some: typeof pairs) => some.reduce((sum, { late_s }) => sum + Math.abs(late_s), 0);
  const within = (span_s: number) =>
    pairEvents(events, told, "strict", { early_s: span_s, late_s: span_s }).length;
  return {
    ...{ events: events.length, pairs: pairs.length, apart_s: length(pairs) },
    ...{ early: early.length, early_s: length(early), late: late.length, late_s: length(late) },
    within: [within(1), within(2), within(3)],
    progressive: progressiveSum(events, told),
    graded: gradeEvents(events, told),
  };
}

/** An answer of full worth, out of 4; and what silence is worth. */
const points_max = 4, points_silent = 0.5;
/** Time weighs half: what is right only at the end of the span still has more than half. */
const time_weight = 0.5;

/**
 * PAUC: the area under the worth of what was said about the event so far, over the span behind it. Right at once is 1,
 * right at mid-span 0.78, right at the end 0.56, nothing 0.125, wrong at once 0.
 */
export function progressive(told: readonly { after_share: number; points: number }[]): number {
  let area = 0, since = 0, worth = points_silent;
  let best: number | undefined;
  for (const { after_share, points } of [...told].sort((a, b) => a.after_share - b.after_share)) {
    const at = time_weight * after_share;
    area += (at - since) * worth;
    since = at;
    best = Math.max(best ?? 0, points);
    worth = best;
  }
  return (area + (1 - since) * worth) / points_max;
}

/** A line belongs to the event that it fits best; one that is right about another event does not count against this. */
function progressiveSum(events: readonly WorldEvent[], told: readonly Told[]): number {
  const { early_s, late_s } = wide;
  const pairs = pairEvents(events, told, "strict", wide);
  const owner = new Map(pairs.map(({ told, event }) => [told, event]));
  let sum = 0;
  events.forEach((event, index) => {
    const about = told.flatMap((one, at) => {
      const after_s = one.t_s - event.t_s;
      if (after_s < -early_s || after_s > late_s) return [];
      if ((owner.get(at) ?? index) !== index || one.object !== event.object) return [];
      if (one.object === undefined && one.kind !== event.kind) return [];
      const points = agrees(one, event, "strict") ? 4 : agrees(one, event, "thing") ? 2 : 0;
      return [{ after_share: Math.max(0, after_s) / late_s, points }];
    });
    sum += progressive(about);
  });
  return sum;
}

export function addTimings(all: readonly TimingSums[]): TimingSums {
  const sum = (of: (one: TimingSums) => number) => all.reduce((total, one) => total + of(one), 0);
  const graded = (key: keyof Graded) => sum((one) => one.graded[key]);
  return {
    ...{ events: sum((one) => one.events), pairs: sum((one) => one.pairs) },
    apart_s: sum((one) => one.apart_s),
    ...{ early: sum((one) => one.early), early_s: sum((one) => one.early_s) },
    ...{ late: sum((one) => one.late), late_s: sum((one) => one.late_s) },
    within: [sum((one) => one.within[0]), sum((one) => one.within[1]), sum((one) => one.within[2])],
    progressive: sum((one) => one.progressive),
    graded: {
      ...{ paired: graded("paired"), redundant: graded("redundant") },
      ...{ missed: graded("missed"), cost: graded("cost") },
    },
  };
}

export interface Timing {
  /** Mean distance in time of told from true, of strict pairs in the wide window. */
  time_diff_s: number | null;
  early_share: number | null;
  early_mean_s: number | null;
  late_mean_s: number | null;
  /** Shares of all events. */
  trigger_accuracy: { within_1_s: number | null; within_2_s: number | null; within_3_s: number | null };
  pauc: number | null;
  /** Pairs among all that was told or happened, when nearly right counts. */
  jaccard: number | null;
  redundant_share: number | null;
  missed_share: number | null;
}

export function timingOf(sums: TimingSums): Timing {
  const share = (part: number, whole: number) => whole === 0 ? null : part / whole;
  const { graded, events, within } = sums;
  return {
    time_diff_s: share(sums.apart_s, sums.pairs),
    early_share: share(sums.early, sums.pairs),
    early_mean_s: share(sums.early_s, sums.early),
    late_mean_s: share(sums.late_s, sums.late),
    trigger_accuracy: {
      within_1_s: share(within[0], events),
      within_2_s: share(within[1], events),
      within_3_s: share(within[2], events),
    },
    pauc: share(sums.progressive, events),
    jaccard: share(graded.paired, graded.paired + graded.redundant + graded.missed),
    redundant_share: share(graded.redundant, graded.paired + graded.redundant),
    missed_share: share(graded.missed, events),
  };
}
