// How lines sound over time: repeats, chatter, silence, pace. Must not know what is right, models or answers.
import type { WorldEvent } from "../world/events.ts";
import { pairEvents, wide } from "./event_score.ts";
import { eval_limits } from "./limits.ts";
import { factOf, type Line, toldBy } from "./told.ts";

/** Sums, so that scenes add up. */
export interface WordingSums {
  duration_s: number;
  /** Moments at which something could have been said. */
  ticks: number;
  lines: number;
  words: number;
  /** Lines of which nothing fits anything that happened. */
  false_lines: number;
  /** False lines that say nothing but what was said shortly before. */
  repeats: number;
  /** Runs of four words, and those of them that stand earlier in the same minute. */
  fours: number;
  fours_again: number;
  /** Longest row of lines that are the same words. */
  loop_lines: number;
}

export function scoreWording(
  lines: readonly Line[],
  events: readonly WorldEvent[],
  { duration_s, ticks }: { duration_s: number; ticks: number },
): WordingSums {
  const told = toldBy(lines);
  const fitting = new Set(pairEvents(events, told, "thing", wide).map((pair) => told[pair.told]!.line));
  const said = new Map<string, number>();
  let repeats = 0, at = 0;
  lines.forEach(({ t_s, text }, line) => {
    const facts: string[] = [];
    for (; at < told.length && told[at]!.line === line; at++) facts.push(factOf(told[at]!));
    if (facts.length === 0) facts.push(text.toLowerCase());
    const known = facts.every((fact) => t_s - (said.get(fact) ?? -Infinity) <= eval_limits.repeat_s);
    if (known && !fitting.has(line)) repeats++;
    for (const fact of facts) said.set(fact, t_s);
  });
  return {
    ...{ duration_s, ticks, lines: lines.length, repeats },
    words: lines.reduce((sum, { text }) => sum + wordsOf(text).length, 0),
    false_lines: lines.length - fitting.size,
    ...countFours(lines),
    loop_lines: longestLoop(lines),
  };
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/[^\p{L}\p{N}']+/u).filter((word) => word !== "");
}

/** Lines of one minute are one text; runs do not reach over its end. */
function countFours(lines: readonly Line[]): { fours: number; fours_again: number } {
  const minutes = new Map<number, string[]>();
  for (const { t_s, text } of lines) {
    const minute = Math.floor(t_s / eval_limits.wording_window_s);
    minutes.set(minute, [...minutes.get(minute) ?? [], ...wordsOf(text)]);
  }
  let fours = 0, different = 0;
  for (const words of minutes.values()) {
    const runs = words.slice(3).map((_, from) => words.slice(from, from + 4).join(" "));
    fours += runs.length;
    different += new Set(runs).size;
  }
  return { fours, fours_again: fours - different };
}

function longestLoop(lines: readonly Line[]): number {
  let longest = 0, length = 0, before: string | undefined;
  for (const { text } of lines) {
    length = text === before ? length + 1 : 1;
    before = text;
    longest = Math.max(longest, length);
  }
  return longest;
}

export function addWordings(all: readonly WordingSums[]): WordingSums {
  const sum = (key: keyof WordingSums) => all.reduce((total, one) => total + one[key], 0);
  return {
    ...{ duration_s: sum("duration_s"), ticks: sum("ticks"), lines: sum("lines"), words: sum("words") },
    ...{ false_lines: sum("false_lines"), repeats: sum("repeats") },
    ...{ fours: sum("fours"), fours_again: sum("fours_again") },
    loop_lines: all.reduce((most, one) => Math.max(most, one.loop_lines), 0),
  };
}

export interface Wording {
  silent_tick_share: number | null;
  lines_per_min: number | null;
  words_per_min: number | null;
  false_lines_per_min: number | null;
  repeat_share: number | null;
  /** Share of four-word runs that stand in the same minute already. */
  rep_4: number | null;
  longest_loop_lines: number;
}

export function wordingOf(sums: WordingSums): Wording {
  const share = (part: number, whole: number) => whole === 0 ? null : part / whole;
  const per_min = (count: number) => share(count * 60, sums.duration_s);
  return {
    silent_tick_share: sums.ticks === 0 ? null : Math.max(0, 1 - sums.lines / sums.ticks),
    lines_per_min: per_min(sums.lines),
    words_per_min: per_min(sums.words),
    false_lines_per_min: per_min(sums.false_lines),
    repeat_share: share(sums.repeats, sums.lines),
    rep_4: share(sums.fours_again, sums.fours),
    longest_loop_lines: sums.loop_lines,
  };
}
