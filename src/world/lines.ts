// How an event is told: many ways to say each kind, chosen by chance. Must not know how a line is understood again
// (reading.ts), scenes or ticks.
import type { Dice } from "./dice.ts";
import type { EventKind, WorldEvent } from "./events.ts";
import { numberWord } from "./numbers.ts";
import { pluralOf, withArticle } from "./vocabulary.ts";

/**
 * {a}: the thing with its article, {the}: "the thing", {from}: "the left" … "above", {to}: "the left" … "the top",
 * {way}: left, right, up, down, {other}: the other thing with its article, {the_other}.
 */
export const phrasings: Record<Exclude<EventKind, "count">, readonly string[]> = {
  enter: [
    "{a} comes in from {from}",
    "{a} enters from {from}",
    "here comes {a} from {from}",
    "from {from} comes {a}",
  ],
  leave: [
    "{the} leaves to {to}",
    "{the} goes out to {to}",
    "{the} is going away to {to}",
    "out to {to} goes {the}",
  ],
  move: ["{the} moves {way}", "{the} goes {way}", "{the} heads {way}", "now {the} moves {way}"],
  stop: ["{the} stops", "{the} stands still", "{the} comes to rest", "now {the} stops"],
  approach: ["{the} comes closer", "{the} gets bigger", "{the} approaches", "{the} grows"],
  recede: ["{the} gets smaller", "{the} shrinks", "{the} recedes", "{the} gets farther away"],
  appear: ["{a} appears", "suddenly there is {a}", "{a} pops up", "all at once {a} is there"],
  disappear: ["{the} disappears", "{the} vanishes", "{the} is suddenly gone", "all at once {the} is gone"],
  replace: ["{the} turns into {other}", "{the} is replaced by {other}", "{the} becomes {other}"],
  overlap: ["{the} covers {the_other}", "{the} is in front of {the_other}", "{the} hides {the_other}"],
  darken: ["it gets dark", "it grows dark", "the light fades"],
  brighten: ["it gets bright", "it grows bright", "the light comes up"],
};

export const count_phrasings = ["now there are {n}", "that makes {n}"] as const;

/** Adds how many there are now, when the event changed that. `another` says that there was one before. */
export interface Telling {
  event: WorldEvent;
  count?: WorldEvent;
}

export function tell({ event, count }: Telling, dice: Dice): string {
  if (event.kind === "count") return countText(event, dice);
  const line = fill(dice.pick(phrasings[event.kind]), event, count !== undefined && count.count! > 1);
  return count === undefined ? line : `${line}, ${countText(count, dice)}`;
}

function fill(
  phrasing: string,
  { object = "", side, direction, other = "" }: WorldEvent,
  another: boolean,
): string {
  const from = side === "top" ? "above" : side === "bottom" ? "below" : `the ${side}`;
  return phrasing
    .replace("{a}", another ? `another ${object}` : withArticle(object))
    .replace("{the}", `the ${object}`)
    .replace("{from}", from)
    .replace("{to}", `the ${side}`)
    .replace("{way}", direction ?? "")
    .replace("{other}", withArticle(other))
    .replace("{the_other}", `the ${other}`);
}

function countText({ object = "", count = 0 }: WorldEvent, dice: Dice): string {
  if (count === 1) return `one ${object} is left`;
  if (count === 0) return `no ${object} is left`;
  return dice.pick(count_phrasings).replace("{n}", `${numberWord(count)} ${pluralOf(object)}`);
}
