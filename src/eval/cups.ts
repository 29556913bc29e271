// The shell game: three things on three places, and places are swapped. Open, every thing can be seen all the time;
// hidden, one small thing is covered first, by three covers that look the same. Must not know who plays.
import { Dice } from "../world/dice.ts";
import type { Key } from "../world/script.ts";
import { things } from "../world/vocabulary.ts";
import { type Exam, examOf, type ExamQuestion } from "./exam.ts";
import { keyAt, stageScript, stays } from "./staging.ts";

export interface CupsRequest {
  name: string;
  seed: number;
  style: string;
  swaps: number;
  hidden: boolean;
}

const places = [{ x: 0.18, word: "left" }, { x: 0.5, word: "middle" }, { x: 0.82, word: "right" }] as const;
const middle_y = 0.5, size = 0.28, small = 0.13;
/** Those who swap pass each other above and below. */
const detour_y = 0.2;
const covering_from_s = 2, covering_s = 1.5, swap_s = 1.6, rest_s = 1.2;
/** Its picture fills its square: nothing shows behind it. */
const cover = "television";

export function playCups(
  { name, seed, style, swaps, hidden }: CupsRequest,
): { exam: Exam; questions: ExamQuestion[] } {
  const dice = new Dice(seed, `cups ${swaps} ${hidden}`);
  const names = draw(dice, things.map((thing) => thing.name).filter((one) => one !== cover), 3);
  const paths: Key[][] = places.map(({ x }) =>
    hidden
      ? [
        keyAt(covering_from_s, x, -size, size),
        keyAt(covering_from_s + covering_s, x, middle_y, size),
      ]
      : [keyAt(0, x, middle_y, size)]
  );
  /** Who stands on each place. */
  const standing = [0, 1, 2];
  const treasure = dice.between(0, 2);
  const covered: Key[] = [keyAt(0, places[treasure]!.x, middle_y, small)];
  let t_s = covering_from_s + covering_s + rest_s;
  for (let swap = 0; swap < swaps; swap++, t_s += swap_s + rest_s) {
    const from = dice.between(0, 2), to = (from + dice.between(1, 2)) % 3;
    const a = standing[from]!, b = standing[to]!;
    const go = (who: number, begin: number, end: number, by_y: number) => {
      const keys = crossing(t_s, places[begin]!.x, places[end]!.x, by_y);
      paths[who]!.push(...keys.map((key) => ({ ...key, size })));
      if (hidden && who === treasure) covered.push(...keys.map((key) => ({ ...key, size: small })));
    };
    go(a, from, to, -detour_y);
    go(b, to, from, detour_y);
    standing[from] = b;
    standing[to] = a;
  }
  const duration_s = t_s + rest_s;
  const objects = hidden
    ? [
      { id: 0, name: names[0]!, keys: stays(covered) },
      ...paths.map((keys, at) => ({ id: at + 1, name: cover, keys: stays(keys) })),
    ]
    : paths.map((keys, at) => ({ id: at, name: names[at]!, keys: stays(keys) }));
  const exam = examOf(name, "cups", stageScript({ seed, duration_s, style, objects }));
  const asked = hidden ? [[names[0]!, treasure] as const] : names.map((one, who) => [one, who] as const);
  const questions = asked.map(([thing, who], at): ExamQuestion => {
    const place = places[standing.indexOf(who)]!.word;
    return {
      ...{ id: `${name}/cups/${at}`, set: "cups", kind: "where", t_s: duration_s - 0.5 },
      ...{ text: `where is the ${thing}?`, facts: { kind: "place", place, name: thing }, answer: place },
      ...{ depth: swaps, hidden },
    };
  });
  return { exam, questions };
}

function crossing(t_s: number, from_x: number, to_x: number, by_y: number): Key[] {
  return [
    keyAt(t_s, from_x, middle_y, size),
    keyAt(t_s + swap_s / 2, (from_x + to_x) / 2, middle_y + by_y, size),
    keyAt(t_s + swap_s, to_x, middle_y, size),
  ];
}

function draw(dice: Dice, from: readonly string[], count: number): string[] {
  const rest = [...from];
  return Array.from({ length: count }, () => rest.splice(dice.between(0, rest.length - 1), 1)[0]!);
}
