// When a narrator can know of an event: the first tick at or after it at which what was seen so far leaves no doubt. The
// rules are one table below. Labels stand there, because a model cannot learn to tell what it cannot see yet. Pure; must
// not know words, noise or models.
import type { EventKind, WorldEvent } from "../../world/events.ts";
import { directionOf, overlapShare, type Pose, present_share } from "../../world/tracks.ts";
import type { SeenObject, Sight } from "./sight.ts";

/** An event that is not beyond doubt by then is not told at all. Scores allow 2 s. */
export const told_within_s = 1.5;

/** Past the share that makes an object present, so that a small error does not turn it round. */
const presence_margin = 0.05;
/** Frame sides a tick: rest is below the first, movement above the second. */
const rest_below = 0.002, movement_from = 0.03;
/** How much longer the larger component of a movement must be for its direction to be clear. */
const direction_clear = 1.25;
/** Of ln size, a tick. */
const growth_from = 0.05;
const overlap_margin = 0.05, overlap_from = 0.35;
/** Change of the light within three ticks. */
const light_ratio = 0.9;

interface Look {
  event: WorldEvent;
  sights: readonly Sight[];
  tick: number;
  /** The tick before is not earlier than the event either. */
  second: boolean;
}

/**
 * Per kind: what must be seen at the tick. "twice" = at this tick and the one before, both at or after the event:
 * one look may be a false or a missed detection.
 */
const beyondDoubt: Record<EventKind, (look: Look) => boolean> = {
  enter: (look) => isThere(look) && seen(look)!.visible >= present_share + presence_margin,
  leave: (look) => isGone(look) || (seen(look)?.visible ?? 1) <= present_share - presence_margin,
  appear: (look) => look.second && isThere(look) && isThere(before(look)),
  disappear: (look) => look.second && isGone(look) && isGone(before(look)),
  // The old one is the event's object; what is there instead shows by being gone itself.
  replace: (look) => look.second && isGone(look) && isGone(before(look)),
  stop: (look) => look.second && isThere(look) && speed(look) < rest_below,
  move: (look) => isThere(look) && speed(look) >= movement_from && goesItsWay(look),
  approach: (look) => (seen(look)?.growth ?? 0) >= growth_from,
  recede: (look) => (seen(look)?.growth ?? 0) <= -growth_from,
  overlap: ({ event, sights, tick }) => {
    const { objects } = sights[tick]!;
    const front = objects.find(({ id }) => id === event.id);
    return front !== undefined && objects.some((behind) =>
      behind !== front && behind.name === event.other &&
      overlapShare(poseOf(front), poseOf(behind)) >= overlap_from + overlap_margin
    );
  },
  // Only what came or went in a replacement counts alone.
  count: (look) => look.second && !look.sights[look.tick]!.black,
  darken: ({ sights, tick }) => lightChange(sights, tick) <= light_ratio,
  brighten: ({ sights, tick }) => lightChange(sights, tick) >= 1 / light_ratio,
};

/** The events that can be told, each with the time of the tick at which it can, in order of that. */
export function tellableEvents(events: readonly WorldEvent[], sights: readonly Sight[]): WorldEvent[] {
  const told: { event: WorldEvent; t_s: number }[] = [];
  for (const event of events) {
    // A change of number is told with what changed it.
    const cause = event.kind === "count" &&
      told.find((one) =>
        one.event.kind !== "count" && one.event.id === event.id && Math.abs(one.event.t_s - event.t_s) < 0.2
      );
    const t_s = cause ? cause.t_s : tellingTime(event, sights);
    if (t_s !== undefined) told.push({ event, t_s });
  }
  return told.map(({ event, t_s }) => ({ ...event, t_s })).sort((a, b) => a.t_s - b.t_s);
}

function tellingTime(event: WorldEvent, sights: readonly Sight[]): number | undefined {
  const from = sights.findIndex(({ t_s }) => t_s >= event.t_s);
  for (let tick = from; tick >= 0 && tick < sights.length; tick++) {
    if (sights[tick]!.t_s > event.t_s + told_within_s) return undefined;
    const second = tick > 0 && sights[tick - 1]!.t_s >= event.t_s;
    if (beyondDoubt[event.kind]({ event, sights, tick, second })) return sights[tick]!.t_s;
  }
  return undefined;
}

function seen({ event, sights, tick }: Look): SeenObject | undefined {
  return sights[tick]!.objects.find(({ id }) => id === event.id);
}

function isThere(look: Look): boolean {
  return seen(look) !== undefined;
}

/** Not to be seen, in a picture in which it would be. */
function isGone(look: Look): boolean {
  return !look.sights[look.tick]!.black && !isThere(look);
}

function before(look: Look): Look {
  return { ...look, tick: look.tick - 1 };
}

function speed(look: Look): number {
  const { vx, vy } = seen(look)!;
  return Math.hypot(vx, vy);
}

function goesItsWay(look: Look): boolean {
  const { vx, vy } = seen(look)!;
  const [small, large] = [Math.abs(vx), Math.abs(vy)].sort((a, b) => a - b) as [number, number];
  return directionOf(vx, vy) === look.event.direction && (look.second || large >= small * direction_clear);
}

function poseOf({ x, y, size }: SeenObject): Pose {
  return { x, y, size, angle_deg: 0 };
}

function lightChange(sights: readonly Sight[], tick: number): number {
  const now = sights[tick]!, then = sights[Math.max(0, tick - 3)]!;
  return now.black || then.black ? 1 : now.gain / then.gain;
}
