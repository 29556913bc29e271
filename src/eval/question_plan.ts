// Which questions are put to a scene, and about which moments. The same script and moments give the same questions.
// Must not know who answers, or what is right beyond the world's own facts.
import { Dice } from "../world/dice.ts";
import { presenceChanges } from "../world/path_events.ts";
import { ask, question_kinds, type QuestionKind, type WorldQuestion } from "../world/questions.ts";
import { things, withArticle } from "../world/vocabulary.ts";
import type { Exam, ExamQuestion, QuestionSet } from "./exam.ts";
import { eval_limits } from "./limits.ts";

export interface PlanOptions {
  sets: readonly QuestionSet[];
  /** Moments of a scene at which every kind is asked. */
  moments: number;
  /** The newest moment at or before that the memory can go back to exactly. */
  settle(t_s: number): number;
}

/** In order of sets and time. */
export function planQuestions(exam: Exam, { sets, moments, settle }: PlanOptions): ExamQuestion[] {
  const found: ExamQuestion[] = [];
  const { duration_s } = exam.script;
  const spread = Array.from({ length: moments }, (_, index) => duration_s * (index + 1) / moments)
    // The last moment is inside the scene.
    .map((t_s) => settle(Math.min(t_s, duration_s - 0.5)));
  for (const set of sets) {
    const questions = planners[set](exam, spread, settle);
    questions.forEach((question, index) =>
      found.push({ ...question, id: `${exam.name}/${set}/${index}`, set })
    );
  }
  return found;
}

type Planned = Omit<ExamQuestion, "id" | "set">;
type Planner = (exam: Exam, moments: readonly number[], settle: (t_s: number) => number) => Planned[];

const planners: Record<QuestionSet, Planner> = {
  moment: (exam, moments) => moments.flatMap((t_s) => question_kinds.flatMap((kind) => one(exam, kind, t_s))),

  /** Between the ticks, wherever they are. */
  travel: (exam) => {
    const dice = new Dice(exam.script.seed, `travel ${exam.name}`);
    const times = Array.from({ length: 3 }, () => dice.real(2, exam.script.duration_s - 0.5));
    const kinds: QuestionKind[] = ["here", "where", "how_many"];
    return times.flatMap((t_s) => kinds.flatMap((kind) => one(exam, kind, Math.round(t_s * 10) / 10)));
  },

  recall: (exam, moments) => moments.flatMap((t_s) => recallAt(exam, t_s)),

  repeats: (exam, moments) =>
    moments.flatMap((t_s) =>
      one(exam, "so_far", t_s).map((question) => ({
        ...question,
        depth: question.facts.kind === "number" ? question.facts.count : 0,
      }))
    ),

  /** Those scenes bring their own questions. */
  cups: () => [],

  poll: (exam, _moments, settle) => pollAll(exam, settle),
};

function one(exam: Exam, kind: QuestionKind, t_s: number): WorldQuestion[] {
  const dice = new Dice(exam.script.seed, `${exam.name} ${kind} ${t_s.toFixed(2)}`);
  // A draw may ask for what has no answer (twice the same name): another draw may not.
  for (let attempt = 0; attempt < 4; attempt++) {
    const question = ask(kind, exam.script, exam.events, t_s, dice);
    if (question) return [question];
  }
  return [];
}

/** When each name was last there before `t_s`; those that are there still are left out. */
export function goneBefore({ script }: Exam, t_s: number): Map<string, number> {
  const there = new Map<string, number>(), last = new Map<string, number>();
  for (const change of presenceChanges(script)) {
    if (change.t_s > t_s) break;
    const { name } = change.object;
    there.set(name, (there.get(name) ?? 0) + change.by);
    last.set(name, change.t_s);
  }
  for (const [name, count] of there) if (count > 0) last.delete(name);
  return last;
}

/** When each name first came or was there from the start. */
export function firstSeen({ script }: Exam): Map<string, number> {
  const first = new Map<string, number>();
  for (const { t_s, object, by } of presenceChanges(script)) {
    if (by > 0 && !first.has(object.name)) first.set(object.name, t_s);
  }
  return first;
}

/** Of each thing that is gone whether there ever was one, and as often of one that never was: saying yes gains nothing. */
function recallAt(exam: Exam, t_s: number): Planned[] {
  const dice = new Dice(exam.script.seed, `recall ${exam.name} ${t_s.toFixed(2)}`);
  const never = neverThere(exam);
  // Where everything was there once, the answer is always yes, and says nothing.
  if (never.length === 0) return [];
  const all = [...goneBefore(exam, t_s)].filter(([, last_s]) => t_s - last_s >= 1)
    .sort(([, one_s], [, other_s]) => other_s - one_s);
  // Where more are gone than are asked about, those of every age, the freshest and the oldest among them.
  const count = Math.min(all.length, eval_limits.recall_questions_max / 2);
  const gone = Array.from(
    { length: count },
    (_, at) => all[Math.round(at * (all.length - 1) / (count - 1 || 1))]!,
  );
  return gone.flatMap(([name, last_s]) => {
    const age_s = t_s - last_s;
    return [
      { ...everQuestion("ever", name, t_s, true), age_s },
      { ...everQuestion("ever_absent", dice.pick(never), t_s, false), age_s },
    ];
  });
}

function neverThere({ script }: Exam): string[] {
  const named = new Set(script.objects.map(({ name }) => name));
  return things.map(({ name }) => name).filter((name) => !named.has(name));
}

function everQuestion(kind: QuestionKind, name: string, t_s: number, yes: boolean): Planned {
  const text = `was there ever ${withArticle(name)}?`;
  return { kind, t_s, text, facts: { kind: "yes", yes }, answer: yes ? "yes" : "no" };
}

/** One thing that comes after a while and one that never does, each asked about all the time. */
function pollAll(exam: Exam, settle: (t_s: number) => number): Planned[] {
  const { script } = exam;
  const dice = new Dice(script.seed, `poll ${exam.name}`);
  const coming = [...firstSeen(exam)].find(([, t_s]) => t_s > 2 * eval_limits.poll_every_s);
  const times: number[] = [];
  for (let t_s = eval_limits.poll_every_s; t_s < script.duration_s; t_s += eval_limits.poll_every_s) {
    times.push(settle(t_s));
  }
  const never = dice.pick(neverThere(exam));
  return [
    ...(coming
      ? times.map((t_s) => ({
        ...everQuestion("ever", coming[0], t_s, t_s >= coming[1]),
        due_s: coming[1],
      }))
      : []),
    ...times.map((t_s) => everQuestion("ever_absent", never, t_s, false)),
  ];
}
