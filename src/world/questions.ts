// Questions about a scene with their right answers, at a moment of it: what the evaluation asks and training learns.
// Must not know ticks, models or scores.
import { type AnswerFacts, answers } from "./answers.ts";
import type { Dice } from "./dice.ts";
import type { WorldEvent } from "./events.ts";
import type { Script } from "./script.ts";
import { placeOf, presentAt } from "./tracks.ts";
import { pluralOf, things, withArticle } from "./vocabulary.ts";

export const question_kinds = [
  ...["here", "where", "how_many", "just_happened", "first", "so_far", "ever", "ago"] as const,
  ...["where_absent", "ever_absent", "how_many_absent"] as const,
] as const;
export type QuestionKind = typeof question_kinds[number];

export interface WorldQuestion {
  kind: QuestionKind;
  /** When it is asked. */
  t_s: number;
  text: string;
  /** One right answer in the world's own words. */
  answer: string;
  facts: AnswerFacts;
}

/** Something must have happened this recently to have "just" happened. */
const just_s = 6;
/** "N minutes ago" means this much before or behind. */
const ago_slack_s = 12;

interface Asking {
  script: Script;
  events: readonly WorldEvent[];
  t_s: number;
  dice: Dice;
}

/** {x}, {y}: names, {xs}: the plural, {ax}: with its article, {n}: "a minute" or "3 minutes". */
export const askings: Record<QuestionKind, readonly string[]> = {
  here: [
    ...["what is here?", "what can you see?", "what is in the picture?", "what do you see?"],
    ...["what is there?", "which things are there?", "what is in the picture now?"],
  ],
  where: [
    ...["where is the {x}?", "in which place is the {x}?", "where can you see the {x}?"],
    ...["where is the {x} now?", "where in the picture is the {x}?"],
  ],
  how_many: [
    ...["how many {xs} are there?", "how many {xs} can you see?", "how many {xs} are here?"],
    ...["how many {xs} do you see?", "how many {xs} are there now?"],
  ],
  just_happened: [
    ...["what just happened?", "what happened last?", "what happened just now?"],
    ...["what was the last thing that happened?"],
  ],
  first: [
    ...["which came first, the {x} or the {y}?", "what came first, the {x} or the {y}?"],
    ...["which was here first, the {x} or the {y}?"],
  ],
  so_far: ["how many {xs} came so far?", "how many {xs} have come so far?", "how many {xs} have come?"],
  ever: [
    ...["was there ever {ax}?", "has there ever been {ax}?", "did you ever see {ax}?"],
    ...["have you ever seen {ax}?", "have you seen {ax}?"],
  ],
  ago: ["what happened {n} ago?"],
  where_absent: [],
  ever_absent: [],
  how_many_absent: [],
};
/** Nobody can tell by the words that the thing is not there. */
const worded_as: Partial<Record<QuestionKind, QuestionKind>> = {
  where_absent: "where",
  ever_absent: "ever",
  how_many_absent: "how_many",
};

/** A question of the kind at that moment, or undefined when the scene gives none. */
export function ask(
  kind: QuestionKind,
  script: Script,
  events: readonly WorldEvent[],
  t_s: number,
  dice: Dice,
): WorldQuestion | undefined {
  const asking = { script, events, t_s, dice };
  const made = makers[kind](asking);
  if (!made) return undefined;
  const { facts, x = "", y = "", ago = "" } = made;
  const text = dice.pick(askings[worded_as[kind] ?? kind])
    .replace("{x}", x).replace("{y}", y).replace("{xs}", pluralOf(x)).replace("{ax}", withArticle(x))
    .replace("{n}", ago);
  return { kind, t_s, text, answer: answers.tell(facts, dice), facts };
}

interface Made {
  facts: AnswerFacts;
  x?: string;
  y?: string;
  ago?: string;
}

const makers: Record<QuestionKind, (asking: Asking) => Made | undefined> = {
  here: ({ script, t_s }) => ({ facts: { kind: "things", counts: countNames(script, t_s) } }),

  where: ({ script, t_s, dice }) => {
    // Of a thing there is only one of, or the question has no answer.
    const counts = countNames(script, t_s);
    const single = presentAt(script, t_s).filter(({ object }) => counts[object.name] === 1);
    if (single.length === 0) return undefined;
    const { object, pose } = dice.pick(single);
    return { x: object.name, facts: { kind: "place", place: placeOf(pose), name: object.name } };
  },

  how_many: ({ script, t_s, dice }) => {
    const counts = countNames(script, t_s);
    const names = Object.keys(counts);
    if (names.length === 0) return undefined;
    const x = dice.pick(names);
    return { x, facts: { kind: "number", count: counts[x]! } };
  },

  just_happened: ({ events, t_s }) => {
    // A change of number is told with what changed it.
    const last = happened(events, t_s).findLast(({ kind }) => kind !== "count");
    return last && t_s - last.t_s <= just_s ? { facts: { kind: "events", events: [last] } } : undefined;
  },

  first: ({ script, t_s, dice }) => {
    const came = firstTimes(script, t_s);
    const names = [...came.keys()];
    if (names.length < 2) return undefined;
    const a = dice.pick(names), b = dice.pick(names);
    if (a === b || Math.abs(came.get(a)! - came.get(b)!) < 1) return undefined;
    const [x, y] = dice.chance(0.5) ? [a, b] : [b, a];
    return { x, y, facts: { kind: "name", name: came.get(a)! < came.get(b)! ? a : b } };
  },

  so_far: ({ events, t_s, dice }) => {
    const came = happened(events, t_s).filter(({ kind }) => kind === "enter" || kind === "appear");
    if (came.length === 0) return undefined;
    const x = dice.pick(came).object!;
    return { x, facts: { kind: "number", count: came.filter(({ object }) => object === x).length } };
  },

  ever: ({ script, t_s, dice }) => {
    const names = [...firstTimes(script, t_s).keys()];
    return names.length === 0 ? undefined : { x: dice.pick(names), facts: { kind: "yes", yes: true } };
  },

  ago: ({ events, t_s, dice }) => {
    const minutes = dice.between(1, 10);
    const near = happened(events, t_s).filter((event) =>
      Math.abs(t_s - minutes * 60 - event.t_s) <= ago_slack_s && event.kind !== "count"
    );
    if (near.length === 0) return undefined;
    return {
      ago: minutes === 1 ? "a minute" : `${minutes} minutes`,
      facts: { kind: "events", events: near },
    };
  },

  where_absent: ({ script, t_s, dice }) => {
    const x = absent(countNames(script, t_s), dice);
    return { x, facts: { kind: "none", name: x } };
  },

  ever_absent: ({ script, t_s, dice }) => {
    const came = Object.fromEntries([...firstTimes(script, t_s).keys()].map((name) => [name, 1]));
    return { x: absent(came, dice), facts: { kind: "yes", yes: false } };
  },

  how_many_absent: ({ script, t_s, dice }) => ({
    x: absent(countNames(script, t_s), dice),
    facts: { kind: "number", count: 0 },
  }),
};

/** How many of each name are there. */
export function countNames(script: Script, t_s: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { object } of presentAt(script, t_s)) counts[object.name] = (counts[object.name] ?? 0) + 1;
  return counts;
}

function happened(events: readonly WorldEvent[], t_s: number): WorldEvent[] {
  return events.filter((event) => event.t_s <= t_s);
}

/** When each name was first there. Objects that are there from the start came at 0. */
function firstTimes(script: Script, t_s: number): Map<string, number> {
  const first = new Map<string, number>();
  for (const { name, keys } of script.objects) {
    const from_s = keys[0]!.t_s;
    if (
      from_s + just_s <= t_s || presentAt({ ...script, objects: [{ id: 0, name, keys }] }, t_s).length > 0
    ) {
      first.set(name, Math.min(first.get(name) ?? Infinity, from_s));
    }
  }
  return first;
}

function absent(there: Record<string, number>, dice: Dice): string {
  return dice.pick(things.filter(({ name }) => !Object.hasOwn(there, name))).name;
}
