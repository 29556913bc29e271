// What happened in a scene, with exact times: derived from the paths alone, never from how a script was invented, so
// that scripts from outside are scored by the same rules. Definitions are in docs/world.md. Must not know words.
import { mergeReplacements, pathEvents, presenceChanges } from "./path_events.ts";
import type { Script } from "./script.ts";
import { type Direction, lifetimeOf, overlapShare, poseAt, type Side, visibleShare } from "./tracks.ts";
import { present_share } from "./tracks.ts";

export const event_kinds = [
  ...["enter", "leave", "move", "stop", "approach", "recede", "appear", "disappear"] as const,
  ...["replace", "overlap", "count", "darken", "brighten"] as const,
] as const;
export type EventKind = typeof event_kinds[number];

export interface WorldEvent {
  kind: EventKind;
  t_s: number;
  /** Name of what it happened to; absent for light. */
  object?: string;
  /** Which one, in the script. */
  id?: number;
  /** enter, leave. */
  side?: Side;
  /** move. */
  direction?: Direction;
  /** replace: what came instead. overlap: what is behind. */
  other?: string;
  /** count: how many of the name are there now. */
  count?: number;
}

/** Share of the smaller square from which two objects count as overlapping. */
const overlap_from = 0.35;
const overlap_step_s = 0.1;
/** Share by which the light must change. */
const light_change = 0.25;

/** All events in order of time. */
export function eventsOf(script: Script): WorldEvent[] {
  const single = script.objects.flatMap((object) => pathEvents(object, script));
  const events = [
    ...mergeReplacements(single, script),
    ...overlaps(script),
    ...counts(script),
    ...lights(script),
  ];
  return events.map((event) => ({ ...event, t_s: seenAt(event.t_s, script) })).sort((a, b) => a.t_s - b.t_s);
}

/** What happens while the picture stands still or is black is seen when it is over. */
function seenAt(t_s: number, { nuisance }: Script): number {
  const hidden = [...nuisance.freezes, ...nuisance.black];
  for (let moved = true; moved;) {
    moved = false;
    for (const { from_s, until_s } of hidden) {
      if (t_s >= from_s && t_s < until_s) (t_s = until_s), (moved = true);
    }
  }
  return t_s;
}

function overlaps(script: Script): WorldEvent[] {
  const events: WorldEvent[] = [];
  const lives = script.objects.map((object, order) => ({ object, order, ...lifetimeOf(object, script) }))
    .sort((a, b) => a.from_s - b.from_s);
  for (const [index, a] of lives.entries()) {
    for (const b of lives.slice(index + 1)) {
      if (b.from_s >= a.until_s) break;
      const [front, back] = a.order > b.order ? [a, b] : [b, a];
      let before = true; // What begins overlapped is no event.
      for (let t_s = b.from_s; t_s < Math.min(a.until_s, b.until_s); t_s += overlap_step_s) {
        const first = poseAt(front.object, t_s), second = poseAt(back.object, t_s);
        const both = first && second && visibleShare(first) >= present_share &&
          visibleShare(second) >= present_share;
        const now = Boolean(both && overlapShare(first, second) >= overlap_from);
        if (now && !before) {
          events.push({
            kind: "overlap",
            t_s,
            object: front.object.name,
            id: front.object.id,
            other: back.object.name,
          });
        }
        before = now;
      }
    }
  }
  return events;
}

/** Wherever two or more of a name are or were there. */
function counts(script: Script): WorldEvent[] {
  const present = new Map<string, number>();
  const events: WorldEvent[] = [];
  for (const { t_s, object, by } of presenceChanges(script)) {
    const before = present.get(object.name) ?? 0, after = before + by;
    present.set(object.name, after);
    if (t_s > 0 && Math.max(before, after) >= 2) {
      events.push({ kind: "count", t_s, object: object.name, id: object.id, count: after });
    }
  }
  return events;
}

function lights({ light }: Script): WorldEvent[] {
  const events: WorldEvent[] = [];
  for (let from = 0; from + 1 < light.length;) {
    // A run of keys that all go the same way.
    const rises = light[from + 1]!.gain > light[from]!.gain;
    let to = from + 1;
    while (to + 1 < light.length && (light[to + 1]!.gain > light[to]!.gain) === rises) to++;
    const begin = light[from]!, end = light[to]!;
    const target = begin.gain * (rises ? 1 + light_change : 1 - light_change);
    if (rises ? end.gain >= target : end.gain <= target) {
      const kind = rises ? "brighten" as const : "darken" as const;
      events.push({ kind, t_s: whenGain(light.slice(from, to + 1), target) });
    }
    from = to;
  }
  return events;
}

function whenGain(keys: Script["light"], target: number): number {
  for (let index = 0; index + 1 < keys.length; index++) {
    const a = keys[index]!, b = keys[index + 1]!;
    const reached = (target - a.gain) / (b.gain - a.gain);
    if (reached >= 0 && reached <= 1) return a.t_s + reached * (b.t_s - a.t_s);
  }
  return keys.at(-1)!.t_s;
}
