// Questions of this page and their answers, as values. Pure; must not know sockets or components.
import type { CaptionMessage, KeptAnswer, WireError } from "../src/wire/mod.ts";

export const questions_kept_max = 100;

export interface AskedQuestion {
  id: string;
  stream: string;
  question: string;
  /** "now" or an RFC 3339 time. */
  at: string;
  asked_ms: number;
  /** The answer so far. */
  text: string;
  phase: "waiting" | "cancelling" | "answered" | "failed";
  answer?: KeptAnswer & { evidence?: readonly CaptionMessage[] };
  error?: WireError;
}

export type Questions = readonly AskedQuestion[];

export function isOpen(question: AskedQuestion): boolean {
  return question.phase === "waiting" || question.phase === "cancelling";
}

export function addQuestion(questions: Questions, question: AskedQuestion): Questions {
  return [...questions, question].slice(-questions_kept_max);
}

export function changeQuestion(questions: Questions, id: string, change: Partial<AskedQuestion>): Questions {
  return questions.map((question) => question.id === id ? { ...question, ...change } : question);
}

/** Answers of earlier sessions, from the server's log; those asked here are kept as they are. */
export function addHistory(questions: Questions, answers: readonly KeptAnswer[]): Questions {
  const known = new Set(questions.map((question) => question.answer?.id ?? question.id));
  const past = answers.filter((answer) => !known.has(answer.id)).map((answer): AskedQuestion => ({
    id: answer.id,
    stream: answer.stream,
    question: answer.question,
    at: answer.t_wall,
    asked_ms: Date.parse(answer.asked_at),
    text: answer.answer,
    phase: "answered",
    answer,
  }));
  return [...past, ...questions].sort((a, b) => a.asked_ms - b.asked_ms).slice(-questions_kept_max);
}

/** The socket is gone, and with it the questions it carried. */
export function failOpen(questions: Questions): Questions {
  const error: WireError = {
    code: "connection_lost",
    message: "The connection was lost before the answer was complete. Ask again.",
    retry: "backoff",
  };
  return questions.map((question) => isOpen(question) ? { ...question, phase: "failed", error } : question);
}
