// Understands lines: which events a sentence tells, whoever wrote it. Works on words, not on our own phrasings, so that
// other captioners can be scored by the same rules; docs/world.md lists the words. Must not know scenes or scores.
import type { EventKind } from "./events.ts";
import { readNumber } from "./numbers.ts";
import type { Direction, Side } from "./tracks.ts";
import { pluralOf, things } from "./vocabulary.ts";

export interface ToldEvent {
  kind: EventKind;
  object?: string;
  side?: Side;
  direction?: Direction;
  other?: string;
  count?: number;
}

/** First match wins: the more special stand before the more general. */
const verbs: readonly [EventKind, RegExp][] = [
  ["replace", /\b(turns? into|is replaced by|replaced by|becomes?|changes? into)\b/],
  ["overlap", /\b(covers?|in front of|hides?|overlaps?|occludes?)\b/],
  ["recede", /\b(gets? smaller|shrinks?|recedes?|farther away|further away|moves? away)\b/],
  [
    "approach",
    /\b(comes? closer|gets? (?:bigger|closer|larger)|approach(?:es|ing)?|grows?(?! (?:dark|bright)))\b/,
  ],
  ["darken", /\b((?:gets?|grows?|becomes?|turns?) dark(?:er)?|light fades|darkens)\b/],
  ["brighten", /\b((?:gets?|grows?|becomes?|turns?) bright(?:er)?|light comes up|brightens)\b/],
  ["disappear", /\b(disappears?|vanish(?:es)?|suddenly gone|is gone|at once .* gone)\b/],
  ["appear", /\b(appears?|suddenly there is|pops? up|all at once .* there)\b/],
  ["leave", /\b(leaves?|goes out|going away|out to|exits?|walks? out|moves? out|gone to)\b/],
  [
    "enter",
    /\b(enters?|comes? in|here comes?|arrives?|from (?:the )?(?:left|right|top|bottom|above|below) comes?)\b/,
  ],
  ["stop", /\b(stops?|stands? still|comes? to rest|halts?)\b/],
  ["move", /\b(moves?|goes|heads?|walks?|runs?|drives?|flies|slides?)\b/],
];

const counting = /\b(?:now there are|that makes|there are now|(one|no)(?= .* is left))\b/;

/** Longest names first: "soccer ball" before "ball", "fire truck" before anything in it. */
const names = things.flatMap(({ name }) => [[name, name], [pluralOf(name), name]] as const)
  .sort((a, b) => b[0].length - a[0].length);

/** Things named in the text, in order, each with where it stands. */
export function namesIn(text: string): { name: string; at: number; plural: boolean }[] {
  const found: { name: string; at: number; plural: boolean }[] = [];
  let rest = text.toLowerCase();
  for (const [spelt, name] of names) {
    for (let at = wordAt(rest, spelt); at >= 0; at = wordAt(rest, spelt)) {
      found.push({ name, at, plural: spelt !== name });
      rest = rest.slice(0, at) + "#".repeat(spelt.length) + rest.slice(at + spelt.length);
    }
  }
  return found.sort((a, b) => a.at - b.at);
}

function wordAt(text: string, word: string): number {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const before = text[at - 1], after = text[at + word.length];
    if (!isLetter(before) && !isLetter(after)) return at;
  }
  return -1;
}

function isLetter(character: string | undefined): boolean {
  return character !== undefined && /[a-z]/.test(character);
}

/** Every event that the line tells, in order; empty when it tells none. */
export function readLine(line: string): ToldEvent[] {
  return line.toLowerCase().split(/[,.;!]| and then /).flatMap((clause) => readClause(clause.trim()));
}

function readClause(clause: string): ToldEvent[] {
  if (clause === "") return [];
  const [first, second] = namesIn(clause);
  if (counting.test(clause) && first) return [readCount(clause, first.name)];
  const kind = verbs.find(([, pattern]) => pattern.test(clause))?.[0];
  if (kind === undefined) return [];
  if (kind === "darken" || kind === "brighten") return [{ kind }];
  if (!first) return [];
  const told: ToldEvent = { kind, object: first.name };
  if (kind === "replace" || kind === "overlap") told.other = second?.name;
  if (kind === "enter" || kind === "leave") told.side = readSide(clause);
  if (kind === "move") told.direction = readDirection(clause);
  return [told];
}

function readCount(clause: string, object: string): ToldEvent {
  const count = clause.split(/\s+/).map(readNumber).find((number) => number !== undefined);
  return { kind: "count", object, count };
}

function readSide(clause: string): Side | undefined {
  const word = /\b(left|right|top|bottom|above|below|up|down)\b/.exec(clause)?.[1];
  if (word === undefined) return undefined;
  return ({ above: "top", up: "top", below: "bottom", down: "bottom" } as Record<string, Side>)[word] ??
    word as Side;
}

function readDirection(clause: string): Direction | undefined {
  const word = /\b(left|right|up|down|upwards?|downwards?)\b/.exec(clause)?.[1];
  if (word === undefined) return undefined;
  return word.startsWith("up") ? "up" : word.startsWith("down") ? "down" : word as Direction;
}
