// What a question asks, by its words: for answerers without a model (the caption log, the baselines). Must not know
// answers or scenes.
import { readNumber } from "../world/numbers.ts";
import { namesIn } from "../world/reading.ts";

export interface Asks {
  what: "here" | "where" | "how_many" | "so_far" | "ever" | "first" | "just" | "ago" | "unknown";
  names: string[];
  /** ago: how long. */
  minutes?: number;
}

/** First match wins: the more special stand before the more general. */
const patterns: readonly [Asks["what"], RegExp][] = [
  ["ago", /\bago\b/],
  ["just", /\b(just|last|newest)\b.*\bhappen|\bhappen\w* (just|last)\b/],
  ["first", /\bfirst\b/],
  ["so_far", /\bhow many\b.*\b(came|come|so far)\b/],
  ["how_many", /\bhow many\b/],
  ["ever", /\b(ever|have you seen|did you see)\b/],
  ["where", /\b(where|which place)\b/],
  ["here", /\b(what|which things)\b.*\b(here|there|see|picture)\b/],
];

export function readQuestion(question: string): Asks {
  const text = question.toLowerCase();
  const what = patterns.find(([, pattern]) => pattern.test(text))?.[0] ?? "unknown";
  const asks: Asks = { what, names: namesIn(text).map(({ name }) => name) };
  if (what === "ago") asks.minutes = /\ba minute\b/.test(text) ? 1 : firstNumber(text);
  return asks;
}

function firstNumber(text: string): number | undefined {
  return text.split(/[^a-z0-9]+/).map(readNumber).find((number) => number !== undefined);
}
