// Answers out of the caption log alone, by rules: what a service could say whose model forgets everything but has
// written down what it said. No better than the lines are. Must not know the scene, or who wrote the lines.
import { answers } from "../world/answers.ts";
import { Dice } from "../world/dice.ts";
import { eval_limits } from "./limits.ts";
import { readQuestion } from "./question_reading.ts";
import { type Line, type Told, toldBy } from "./told.ts";

/** Nothing in these answers is drawn; the world's wording of lists asks for dice. */
const dice = new Dice(1, "log");

export function answerFromLog(question: string, t_s: number, lines: readonly Line[]): string {
  const so_far = lines.filter((line) => line.t_s <= t_s);
  const told = toldBy(so_far);
  const { what, names: [x = "", y = ""], minutes = 0 } = readQuestion(question);
  switch (what) {
    case "just": {
      const last = so_far.at(-1);
      return last && t_s - last.t_s <= eval_limits.just_s ? last.text : "nothing";
    }
    case "ago":
      return nearest(so_far, t_s - minutes * 60)?.text ?? "nothing";
    case "first": {
      // What nobody told of coming was there from the start.
      const [first_x, first_y] = [firstNamed(told, x), firstNamed(told, y)];
      return `the ${first_y < first_x ? y : x}`;
    }
    case "ever":
      return told.some(({ object, other }) => object === x || other === x) ? "yes" : "no";
    case "so_far":
      return String(told.filter((one) => comes(one, x)).length);
    case "how_many":
      return String(countFromLog(told)[x] ?? 0);
    case "where":
      return whereFromLog(told, x);
    case "here":
      return answers.tell({ kind: "things", counts: countFromLog(told) }, dice);
    case "unknown":
      return "";
  }
}

function nearest(lines: readonly Line[], t_s: number): Line | undefined {
  const near = lines.filter((line) => Math.abs(line.t_s - t_s) <= eval_limits.ago_slack_s);
  return near.sort((a, b) => Math.abs(a.t_s - t_s) - Math.abs(b.t_s - t_s))[0];
}

function firstNamed(told: readonly Told[], name: string): number {
  const first = told.find(({ object, other }) => object === name || other === name);
  if (!first) return Infinity;
  // It moved, stopped or left: it had been there before.
  return comes(first, name) ? first.t_s : 0;
}

function comes({ kind, object, other }: Told, name: string): boolean {
  if (kind === "replace") return other === name;
  return object === name && (kind === "enter" || kind === "appear");
}

/** How many of each name are there, as far as the lines tell. */
function countFromLog(told: readonly Told[]): Record<string, number> {
  const counts = new Map<string, number>();
  const add = (name: string | undefined, by: number) =>
    name && counts.set(name, Math.max(0, (counts.get(name) ?? 0) + by));
  for (const { kind, object, other, count } of told) {
    if (kind === "enter" || kind === "appear") add(object, 1);
    else if (kind === "leave" || kind === "disappear") add(object, -1);
    else if (kind === "replace") (add(object, -1), add(other, 1));
    else if (kind === "count" && object && count !== undefined) counts.set(object, count);
    else if (object && (counts.get(object) ?? 0) === 0) counts.set(object, 1);
  }
  return Object.fromEntries([...counts].filter(([, count]) => count > 0));
}

const places: Record<string, string> = { up: "top", down: "bottom" };

/** The side that it was last told to come from or go to. */
function whereFromLog(told: readonly Told[], name: string): string {
  if (countFromLog(told)[name] === undefined) return `there is no ${name}`;
  const last = told.findLast(({ object, side, direction }) => object === name && (side ?? direction));
  const word = last?.side ?? last?.direction ?? "middle";
  return places[word] ?? word;
}
