// Right answers as facts, how they are said, and whether a said answer is right. Judged by the facts in the words, so
// that a right answer may be worded freely. Must not know questions or scenes.
import type { Dice } from "./dice.ts";
import type { WorldEvent } from "./events.ts";
import { tell } from "./lines.ts";
import { numberWord, readNumber } from "./numbers.ts";
import { namesIn, readLine } from "./reading.ts";
import { pluralOf, withArticle } from "./vocabulary.ts";

export type AnswerFacts =
  | { kind: "things"; counts: Record<string, number> }
  | { kind: "place"; place: string; name: string }
  | { kind: "number"; count: number }
  | { kind: "name"; name: string }
  | { kind: "yes"; yes: boolean }
  /** There is no such thing. */
  | { kind: "none"; name: string }
  /** Telling any one of them is right. */
  | { kind: "events"; events: readonly WorldEvent[] };

const says_nothing = /\b(nothing|none|nobody|empty|no (things?|objects?))\b/;

export const answers = {
  tell(facts: AnswerFacts, dice: Dice): string {
    switch (facts.kind) {
      case "things":
        return listText(facts.counts);
      case "place":
        return facts.place;
      case "number":
        return numberWord(facts.count);
      case "name":
        return `the ${facts.name}`;
      case "yes":
        return facts.yes ? "yes" : "no";
      case "none":
        return `there is no ${facts.name}`;
      case "events":
        return tell({ event: dice.pick(facts.events) }, dice);
    }
  },

  isRight(facts: AnswerFacts, said: string): boolean {
    const text = said.toLowerCase().trim().replace(/[.!]+$/, "");
    const words = text.split(/[^a-z0-9]+/).filter((word) => word !== "");
    switch (facts.kind) {
      case "things":
        // That nothing is there has to be said: any words without a name are not enough.
        if (Object.keys(facts.counts).length === 0 && !says_nothing.test(text)) return false;
        return sameCounts(readCounts(text), facts.counts);
      case "place":
        return readPlace(words) === facts.place;
      case "number":
        return words.map(readNumber).find((number) => number !== undefined) === facts.count;
      case "name": {
        const named = namesIn(text);
        return named.length === 1 && named[0]!.name === facts.name;
      }
      case "yes":
        return words[0] === (facts.yes ? "yes" : "no");
      case "none":
        return words.includes("no") || words.includes("not") || words.includes("nowhere") ||
          words[0] === "none";
      case "events":
        return facts.events.some((event) =>
          readLine(text).some((told) =>
            told.kind === event.kind && told.object === event.object && sameSlots(told, event)
          )
        );
    }
  },
};

function sameSlots(told: Partial<WorldEvent>, event: WorldEvent): boolean {
  return (["side", "direction", "other", "count"] as const).every((slot) => told[slot] === event[slot]);
}

/** "nothing", "a dog", "a dog and two cats", "a dog, an owl and a cat": by the alphabet. */
function listText(counts: Record<string, number>): string {
  const parts = Object.entries(counts).sort(([a], [b]) => a < b ? -1 : 1).map(([name, count]) =>
    count === 1 ? withArticle(name) : `${numberWord(count)} ${pluralOf(name)}`
  );
  if (parts.length === 0) return "nothing";
  return parts.length === 1 ? parts[0]! : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** How many of each name the text lists; a plural without a number is two. */
function readCounts(text: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name, at, plural } of namesIn(text)) {
    const before = text.slice(0, at).trim().split(/[^a-z0-9]+/).at(-1) ?? "";
    const count = readNumber(before) ?? (plural && name !== "grapes" && name !== "fish" ? 2 : 1);
    counts[name] = (counts[name] ?? 0) + count;
  }
  return counts;
}

function sameCounts(a: Record<string, number>, b: Record<string, number>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => (a[name] ?? 0) === (b[name] ?? 0));
}

function readPlace(words: readonly string[]): string | undefined {
  const row = words.find((word) => ["top", "bottom", "above", "below", "upper", "lower"].includes(word));
  const column = words.find((word) => word === "left" || word === "right");
  const middle = words.includes("middle") || words.includes("center") || words.includes("centre");
  const named = row === undefined ? undefined : ["top", "above", "upper"].includes(row) ? "top" : "bottom";
  if (named && column) return `${named} ${column}`;
  return named ?? column ?? (middle ? "middle" : undefined);
}
