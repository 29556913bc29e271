// What one object does along its path: comes, goes, moves, stops, grows, shrinks; and which two of them are one being
// replaced by another. Must not know the other rules of events.ts, words or pictures.
import type { WorldEvent } from "./events.ts";
import type { Key, SceneObject, Script } from "./script.ts";
import { between, type Direction, directionOf, isPresent, lifetimeOf, poseAt, sideOf } from "./tracks.ts";

/** Frame sides per second from which an object moves. */
const moving_from = 0.04;
/** Relative change of size per second from which it grows or shrinks, and how much in all makes it an event. */
const growing_from = 0.08;
const growth_min = 1.25;
/** A movement or a rest shorter than this is not one. */
const settled_s = 0.5;
/** Behind the beginning of a movement: from here on it cannot be taken for a rest. */
const unmistakable_s = 0.25;
const step_s = 0.05;
/** A thing that comes within this time and distance of one that goes takes its place. */
const replace_s = 0.15, replace_distance = 0.06;

export interface PresenceChange {
  t_s: number;
  object: SceneObject;
  by: 1 | -1;
}

/** Every moment at which an object becomes present or stops being so, in order of time. */
export function presenceChanges(script: Script): PresenceChange[] {
  const changes: PresenceChange[] = [];
  for (const object of script.objects) {
    for (const { t_s, now } of presence(object, script)) changes.push({ t_s, object, by: now ? 1 : -1 });
  }
  return changes.sort((a, b) => a.t_s - b.t_s);
}

/** Its beginning is always looked at; its end closes it. */
function* presence(
  object: SceneObject,
  script: Script,
): Generator<{ t_s: number; now: boolean; ends: boolean }> {
  const { from_s, until_s } = lifetimeOf(object, script);
  let before = false;
  for (let step = 0; from_s + step * step_s < until_s; step++) {
    const t_s = from_s + step * step_s;
    const now = isPresent(poseAt(object, t_s));
    if (now !== before) yield { t_s, now, ends: false };
    before = now;
  }
  if (before && until_s < script.duration_s) yield { t_s: until_s, now: false, ends: true };
}

/** In order of time. */
export function pathEvents(object: SceneObject, script: Script): WorldEvent[] {
  const events: WorldEvent[] = [];
  const { from_s } = lifetimeOf(object, script);
  const { name, id } = object;
  const stays: { from_s: number; until_s: number }[] = [];
  for (const { t_s, now, ends } of presence(object, script)) {
    if (now) stays.push({ from_s: t_s, until_s: script.duration_s });
    else stays.at(-1)!.until_s = t_s;
    if (now && t_s === from_s) {
      if (t_s > 0) events.push({ kind: "appear", t_s, object: name, id });
    } else if (now) {
      const outside = poseAt(object, Math.max(from_s, t_s - 4 * step_s))!;
      events.push({ kind: "enter", t_s, object: name, id, side: sideOf(outside) });
    } else if (ends) events.push({ kind: "disappear", t_s, object: name, id });
    else events.push({ kind: "leave", t_s, object: name, id, side: sideOf(poseAt(object, t_s)!) });
  }
  const isThere = (t_s: number) => stays.some((stay) => t_s >= stay.from_s && t_s < stay.until_s);
  events.push(...movements(object, isThere), ...growths(object, isThere));
  return events.sort((a, b) => a.t_s - b.t_s);
}

interface Run {
  from_s: number;
  until_s: number;
  /** Undefined: it rests. */
  direction: Direction | undefined;
}

/** Rests and movements of one direction, shortest pieces swallowed by the one before. */
function runsOf({ keys }: SceneObject): Run[] {
  const runs: Run[] = [];
  for (let index = 0; index + 1 < keys.length; index++) {
    const a = keys[index]!, b = keys[index + 1]!;
    const duration_s = b.t_s - a.t_s;
    if (duration_s <= 0) continue;
    const moves = Math.hypot(b.x - a.x, b.y - a.y) / duration_s >= moving_from;
    const direction = moves ? directionOf(b.x - a.x, b.y - a.y) : undefined;
    const last = runs.at(-1);
    if (last && (last.direction === direction || duration_s < settled_s)) last.until_s = b.t_s;
    else runs.push({ from_s: a.t_s, until_s: b.t_s, direction });
  }
  return runs;
}

function movements(object: SceneObject, isThere: (t_s: number) => boolean): WorldEvent[] {
  const { name, id } = object;
  const events: WorldEvent[] = [];
  for (const [index, { from_s, direction }] of runsOf(object).entries()) {
    if (index === 0) continue; // How it came tells of its first movement.
    if (direction !== undefined) {
      const t_s = from_s + unmistakable_s;
      if (isThere(from_s) && isThere(t_s)) events.push({ kind: "move", t_s, object: name, id, direction });
    } else if (isThere(from_s) && isThere(from_s + unmistakable_s)) {
      events.push({ kind: "stop", t_s: from_s, object: name, id });
    }
  }
  return events;
}

function growths({ keys, name, id }: SceneObject, isThere: (t_s: number) => boolean): WorldEvent[] {
  const events: WorldEvent[] = [];
  const rate = (a: Key, b: Key) => Math.log(b.size / a.size) / (b.t_s - a.t_s);
  for (let from = 0; from + 1 < keys.length;) {
    const way = growthOf(rate(keys[from]!, keys[from + 1]!));
    let to = from + 1;
    while (to + 1 < keys.length && growthOf(rate(keys[to]!, keys[to + 1]!)) === way) to++;
    const begin = keys[from]!, end = keys[to]!;
    const ratio = end.size / begin.size;
    const t_s = begin.t_s + unmistakable_s;
    if (way !== 0 && Math.max(ratio, 1 / ratio) >= growth_min && isThere(t_s)) {
      events.push({ kind: way > 0 ? "approach" : "recede", t_s, object: name, id });
    }
    from = to;
  }
  return events;
}

function growthOf(rate: number): -1 | 0 | 1 {
  if (!Number.isFinite(rate) || Math.abs(rate) < growing_from) return 0;
  return rate > 0 ? 1 : -1;
}

/** A disappearance and an appearance at the same place and time are one event. */
export function mergeReplacements(events: readonly WorldEvent[], script: Script): WorldEvent[] {
  const objects = new Map(script.objects.map((object) => [object.id, object]));
  const gone = events.filter(({ kind }) => kind === "disappear");
  const merged = new Map<WorldEvent, WorldEvent | undefined>();
  for (const appearance of events.filter(({ kind }) => kind === "appear")) {
    const begin = objects.get(appearance.id!)!.keys[0]!;
    const pair = gone.find((end) => {
      if (merged.has(end) || Math.abs(end.t_s - appearance.t_s) > replace_s || end.id === appearance.id) {
        return false;
      }
      const { keys } = objects.get(end.id!)!;
      const last = between(keys.at(-2) ?? keys[0]!, keys.at(-1)!, end.t_s);
      return Math.hypot(last.x - begin.x, last.y - begin.y) <= replace_distance;
    });
    if (!pair) continue;
    merged.set(appearance, undefined);
    merged.set(pair, {
      kind: "replace",
      t_s: appearance.t_s,
      object: pair.object,
      id: pair.id,
      other: appearance.object,
    });
  }
  return events.flatMap((event) => merged.has(event) ? merged.get(event) ?? [] : [event]);
}
