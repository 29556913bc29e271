// What one scene asks of a captioner: its script, what happens in it, and the questions put to it; and what came back.
// Must not know how scenes are made, played or scored.
import type { AnswerFacts } from "../world/answers.ts";
import { eventsOf, type WorldEvent } from "../world/events.ts";
import type { QuestionKind } from "../world/questions.ts";
import type { Script } from "../world/script.ts";
import type { Line } from "./told.ts";

/** What a scene is for. `outside`: a script of somebody else's. */
export const groups = ["narration", "still", "repeats", "cups", "long", "outside"] as const;
export type Group = typeof groups[number];

/**
 * moment: about a moment that the memory can go back to exactly. travel: about any moment, and judged by that one.
 * recall: about things of a known age. repeats, cups: of the scenes of that name. poll: the same question, again and again.
 */
export const question_sets = ["moment", "travel", "recall", "repeats", "cups", "poll"] as const;
export type QuestionSet = typeof question_sets[number];

export interface ExamQuestion {
  /** Scene, set and number: the same for the same script. */
  id: string;
  set: QuestionSet;
  kind: QuestionKind;
  /** The moment that it is about. */
  t_s: number;
  text: string;
  facts: AnswerFacts;
  /** A right answer in the world's own words. */
  answer: string;
  /** recall: since the thing was last there. */
  age_s?: number;
  /** repeats: how often it came. cups: how often places were swapped. */
  depth?: number;
  /** cups: whether the thing was covered while places were swapped. */
  hidden?: boolean;
  /** poll: when the thing first came; absent when it never does. */
  due_s?: number;
}

export interface Exam {
  name: string;
  group: Group;
  script: Script;
  events: readonly WorldEvent[];
}

export function examOf(name: string, group: Group, script: Script): Exam {
  return { name, group, script, events: eventsOf(script) };
}

export interface HeardLine extends Line {
  tick?: number;
  p_speak?: number;
  /** From the frame's arrival to the last word. */
  age_ms?: number;
}

export interface Given {
  question: ExamQuestion;
  text: string;
  /** The moment of the memory that answered; at or before the question's. */
  at_s: number;
  took_ms?: number;
}

/** What a captioner made of an exam. */
export interface Sitting {
  exam: Exam;
  lines: readonly HeardLine[];
  /** Moments at which it could have spoken; frames offered. */
  ticks: number;
  answers: readonly Given[];
}
