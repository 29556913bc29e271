// Another captioner's lines and answers, as a file of JSON lines. Must not know files or scores.
import { z } from "zod";
import type { Exam, ExamQuestion, Given, Sitting } from "./exam.ts";
import { eval_limits } from "./limits.ts";
import type { Line } from "./told.ts";

const said = z.strictObject({ t_s: z.number().min(0), text: z.string().max(2_000) });
const answered = z.strictObject({ question: z.string().min(1), text: z.string().max(2_000) });

export interface Outside {
  lines: Line[];
  /** By the question's id. */
  answers: Map<string, string>;
}

/** Everything in the text, or the first problem as a sentence with its line number. */
export function readOutside(text: string): Outside | { problem: string } {
  const lines: Line[] = [], answers = new Map<string, string>();
  for (const [index, row] of text.split("\n").entries()) {
    if (row.trim() === "") continue;
    if (lines.length + answers.size >= eval_limits.outside_lines_max) {
      return { problem: `line ${index + 1}: there are more than ${eval_limits.outside_lines_max} lines` };
    }
    let value: unknown;
    try {
      value = JSON.parse(row);
    } catch {
      return { problem: `line ${index + 1} is no JSON` };
    }
    const line = said.safeParse(value);
    const answer = answered.safeParse(value);
    if (line.success) lines.push(line.data);
    else if (answer.success) answers.set(answer.data.question, answer.data.text);
    else return { problem: `line ${index + 1} is neither {"t_s", "text"} nor {"question", "text"}` };
  }
  return { lines: lines.sort((a, b) => a.t_s - b.t_s), answers };
}

/** What is not answered is answered wrongly. */
export function sittingOutside(
  exam: Exam,
  questions: readonly ExamQuestion[],
  { lines, answers }: Outside,
  rate_hz: number,
): Sitting {
  const given = questions.map((question): Given => ({
    ...{ question, text: answers.get(question.id) ?? "", at_s: question.t_s },
  }));
  return { exam, lines, ticks: Math.ceil(exam.script.duration_s * rate_hz), answers: given };
}

/** A question without its answer, as an outsider gets it. */
export function questionLine({ id, t_s, text }: ExamQuestion): string {
  return JSON.stringify({ id, t_s, text });
}
