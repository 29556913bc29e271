// How well lines tell what happened: pairs of told and true events, found so that as many as possible fit; precision,
// recall and F1, in all and per kind. Must not know scenes, models or answers.
import { event_kinds, type EventKind, type WorldEvent } from "../world/events.ts";
import { eval_limits } from "./limits.ts";
import { all_that_can, type Edge, matchRows } from "./matching.ts";
import { agrees, type Rule, slotDistance, type Told } from "./told.ts";

export interface Pair {
  event: number;
  told: number;
  /** Above 0: told after it happened. */
  late_s: number;
}

export interface Window {
  early_s: number;
  late_s: number;
}

export const narrow: Window = { early_s: eval_limits.window_s, late_s: eval_limits.window_s };
export const wide: Window = { early_s: eval_limits.wide_early_s, late_s: eval_limits.wide_late_s };

/** Rounding of times must not put a line outside. */
const slack_s = 1e-6;

/** As many pairs as possible, and of those sets the one that is nearest in time. `told` is in order of time. */
export function pairEvents(
  events: readonly WorldEvent[],
  told: readonly Told[],
  rule: Rule,
  { early_s, late_s }: Window,
): Pair[] {
  const span_s = Math.max(early_s, late_s);
  const rows = edgesOf(
    events,
    told,
    { early_s, late_s },
    (event, one, late) => agrees(one, event, rule) ? Math.abs(late) / span_s : undefined,
  );
  return pairsOf(matchRows(rows, all_that_can), events, told);
}

/** What pairs, what is told and never happened, and what happened and is never told, when being near counts as well. */
export interface Graded {
  paired: number;
  redundant: number;
  missed: number;
  /** Of the pairs' slots and times, 0 to 1. */
  cost: number;
}

export function gradeEvents(events: readonly WorldEvent[], told: readonly Told[]): Graded {
  const window_s = eval_limits.wide_late_s;
  const rows = edgesOf(events, told, wide, (event, one, late) => {
    const distance = slotDistance(one, event);
    return distance < 1 ? distance + 0.3 * (Math.abs(late) / window_s) ** 1.5 : undefined;
  });
  const columns = matchRows(rows, 1);
  const costs = columns.flatMap((column, row) =>
    column === undefined ? [] : [rows[row]!.find(({ to }) => to === column)!.cost]
  );
  return {
    paired: costs.length,
    redundant: told.length - costs.length,
    missed: events.length - costs.length,
    cost: costs.reduce((sum, cost) => sum + cost, 0),
  };
}

function edgesOf(
  events: readonly WorldEvent[],
  told: readonly Told[],
  { early_s, late_s }: Window,
  costOf: (event: WorldEvent, told: Told, late_s: number) => number | undefined,
): Edge[][] {
  let first = 0;
  return events.map((event) => {
    while (first < told.length && told[first]!.t_s < event.t_s - early_s - slack_s) first++;
    const edges: Edge[] = [];
    for (let to = first; to < told.length && told[to]!.t_s <= event.t_s + late_s + slack_s; to++) {
      const cost = costOf(event, told[to]!, told[to]!.t_s - event.t_s);
      if (cost !== undefined) edges.push({ to, cost });
    }
    return edges;
  });
}

function pairsOf(
  columns: readonly (number | undefined)[],
  events: readonly WorldEvent[],
  told: readonly Told[],
): Pair[] {
  return columns.flatMap((column, event) =>
    column === undefined ? [] : [{ event, told: column, late_s: told[column]!.t_s - events[event]!.t_s }]
  );
}

export interface Counts {
  right: number;
  told: number;
  true: number;
}

export const no_counts: Counts = { right: 0, told: 0, true: 0 };

export function addCounts(all: readonly Counts[]): Counts {
  return all.reduce(
    (sum, one) => ({ right: sum.right + one.right, told: sum.told + one.told, true: sum.true + one.true }),
    no_counts,
  );
}

export interface Rates extends Counts {
  /** Null: nothing was told. */
  precision: number | null;
  /** Null: nothing happened. */
  recall: number | null;
  /** Null: neither. */
  f1: number | null;
}

export function ratesOf(counts: Counts): Rates {
  const { right, told, true: happened } = counts;
  return {
    ...counts,
    precision: told === 0 ? null : right / told,
    recall: happened === 0 ? null : right / happened,
    f1: told + happened === 0 ? null : 2 * right / (told + happened),
  };
}

export type KindCounts = Record<EventKind, Counts>;

export interface EventScore {
  strict: Counts;
  thing: Counts;
  /** By the strict rule. */
  kinds: KindCounts;
}

export function scoreEvents(events: readonly WorldEvent[], told: readonly Told[]): EventScore {
  const strict = pairEvents(events, told, "strict", narrow);
  const thing = pairEvents(events, told, "thing", narrow);
  const kinds = Object.fromEntries(event_kinds.map((kind) => [kind, {
    right: strict.filter(({ event }) => events[event]!.kind === kind).length,
    told: told.filter((one) => one.kind === kind).length,
    true: events.filter((event) => event.kind === kind).length,
  }])) as KindCounts;
  const sizes = { told: told.length, true: events.length };
  return { strict: { right: strict.length, ...sizes }, thing: { right: thing.length, ...sizes }, kinds };
}
