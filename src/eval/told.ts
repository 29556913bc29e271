// Lines as the events that they tell, and how well one of those fits an event that happened. Must not know how pairs
// are chosen or counted.
import type { WorldEvent } from "../world/events.ts";
import { readLine, type ToldEvent } from "../world/reading.ts";

export interface Line {
  /** Media time of the newest frame that the line can be about. */
  t_s: number;
  text: string;
}

export interface Told extends ToldEvent {
  t_s: number;
  /** Which line told it. */
  line: number;
}

/** Everything that the lines tell, in their order. */
export function toldBy(lines: readonly Line[]): Told[] {
  return lines.flatMap(({ t_s, text }, line) => readLine(text).map((told) => ({ ...told, t_s, line })));
}

const slots = ["side", "direction", "other", "count"] as const;

/** strict: everything right. thing: kind and object right, whatever side, direction, other or count is told. */
export type Rule = "strict" | "thing";

export function agrees(told: ToldEvent, event: WorldEvent, rule: Rule): boolean {
  if (told.kind !== event.kind || told.object !== event.object) return false;
  return rule === "thing" || slots.every((slot) => told[slot] === event[slot]);
}

/** 0: all right, 0.25: only a slot wrong, 0.5: kind or object wrong, 1: nothing in common. */
export function slotDistance(told: ToldEvent, event: WorldEvent): number {
  if (agrees(told, event, "strict")) return 0;
  if (agrees(told, event, "thing")) return 0.25;
  const same_object = told.object !== undefined && told.object === event.object;
  return told.kind === event.kind || same_object ? 0.5 : 1;
}

/** The same for two tellings of the same fact. */
export function factOf({ kind, object, side, direction, other, count }: ToldEvent): string {
  return [kind, object, side, direction, other, count].join("|");
}
