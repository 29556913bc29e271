// Right answers, counted per set and kind. Must not know models or where answers come from.
import { answers } from "../world/answers.ts";
import { question_kinds, type QuestionKind } from "../world/questions.ts";
import type { ExamQuestion, Given } from "./exam.ts";

export interface Tally {
  right: number;
  asked: number;
}

export interface Accuracy extends Tally {
  /** Null: nothing was asked. */
  accuracy: number | null;
}

export function isRight({ facts }: Pick<ExamQuestion, "facts">, text: string): boolean {
  return answers.isRight(facts, text);
}

export function tally(given: readonly Given[]): Tally {
  return { right: given.filter(({ question, text }) => isRight(question, text)).length, asked: given.length };
}

export function accuracyOf({ right, asked }: Tally): Accuracy {
  return { right, asked, accuracy: asked === 0 ? null : right / asked };
}

export function addTallies(all: readonly Tally[]): Tally {
  return all.reduce<Tally>(
    (sum, { right, asked }) => ({ right: sum.right + right, asked: sum.asked + asked }),
    {
      right: 0,
      asked: 0,
    },
  );
}

/** Only kinds that were asked. */
export function accuracyByKind(given: readonly Given[]): Partial<Record<QuestionKind, Accuracy>> {
  return Object.fromEntries(question_kinds.flatMap((kind) => {
    const some = given.filter(({ question }) => question.kind === kind);
    return some.length === 0 ? [] : [[kind, accuracyOf(tally(some))]];
  }));
}

/** By a number of the question, ascending. */
export function accuracyBy(
  given: readonly Given[],
  numberOf: (question: ExamQuestion) => number | undefined,
): (Accuracy & { at: number })[] {
  const groups = new Map<number, Given[]>();
  for (const one of given) {
    const at = numberOf(one.question);
    if (at !== undefined) groups.set(at, [...groups.get(at) ?? [], one]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([at, some]) => ({ at, ...accuracyOf(tally(some)) }));
}
