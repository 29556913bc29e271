// Answerers without a model: what their answers score says what the questions give away. Fitted on training scenes
// alone. Must not know lines, models or reports.
import { question_kinds, type QuestionKind } from "../world/questions.ts";
import { isRight } from "./answer_score.ts";
import type { Exam, ExamQuestion } from "./exam.ts";
import { answerFromPresent } from "./present_answers.ts";

export const answerer_names = [
  "constant_yes",
  "modal_number",
  "most_frequent",
  "echo",
  "present_only",
] as const;
export type AnswererName = typeof answerer_names[number];

export interface FittedAnswerers {
  number: string;
  /** Of each kind the answer that is right most often. Nothing tells a kind by its words from its "absent" twin. */
  frequent: Partial<Record<QuestionKind, string>>;
}

/** What a question's words tell of its kind. */
function wordedKind(kind: QuestionKind): QuestionKind {
  return kind.replace("_absent", "") as QuestionKind;
}

export function fitAnswerers(questions: readonly ExamQuestion[]): FittedAnswerers {
  const numbers = questions.filter(({ facts }) => facts.kind === "number");
  const frequent: FittedAnswerers["frequent"] = {};
  for (const kind of question_kinds) {
    const some = questions.filter((question) => wordedKind(question.kind) === kind);
    if (some.length > 0) frequent[kind] = mostOftenRight(some);
  }
  return { number: numbers.length > 0 ? mostOftenRight(numbers) : "one", frequent };
}

function mostOftenRight(questions: readonly ExamQuestion[]): string {
  const rights = [...new Set(questions.map(({ answer }) => answer))].map((answer) => ({
    answer,
    right: questions.filter((question) => isRight(question, answer)).length,
  }));
  return rights.reduce((most, next) => next.right > most.right ? next : most).answer;
}

export function answerBlindly(
  name: AnswererName,
  fitted: FittedAnswerers,
  question: ExamQuestion,
  exam: Exam,
): string {
  switch (name) {
    case "constant_yes":
      return "yes";
    case "modal_number":
      return fitted.number;
    case "most_frequent":
      return fitted.frequent[wordedKind(question.kind)] ?? "";
    case "echo":
      return question.text;
    case "present_only":
      return answerFromPresent(question.text, question.t_s, exam.script);
  }
}
