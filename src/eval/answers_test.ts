import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { Dice } from "../world/dice.ts";
import { inventScene } from "../world/author.ts";
import { ask, question_kinds, type QuestionKind } from "../world/questions.ts";
import { answerBlindly, answerer_names, fitAnswerers } from "./answer_baselines.ts";
import { accuracyBy, accuracyByKind, accuracyOf, isRight, tally } from "./answer_score.ts";
import { type Exam, examOf, type ExamQuestion, type Given, question_sets, type QuestionSet } from "./exam.ts";
import { answerFromLog } from "./log_answers.ts";
import { oracleLines } from "./narration_baselines.ts";
import { scorePolls } from "./poll_score.ts";
import { goneBefore, planQuestions } from "./question_plan.ts";
import { readQuestion } from "./question_reading.ts";
import { recallOf } from "./recall_score.ts";

const settle = (t_s: number) => t_s;
const exams = (count: number, grammar: "train" | "test", duration_s = 60): Exam[] =>
  Array.from({ length: count }, (_, seed) => {
    const request = { seed, level: "L2", duration_s, styles: ["noto"], grammar, still: false } as const;
    return examOf(`${grammar}-${seed}`, "narration", inventScene(request));
  });
const giveAll = (
  some: readonly Exam[],
  answer: (question: ExamQuestion, exam: Exam) => string,
  sets: readonly QuestionSet[] = question_sets,
) =>
  some.flatMap((exam) =>
    planQuestions(exam, { sets, moments: 4, settle }).map((question): Given => ({
      ...{ question, text: answer(question, exam), at_s: question.t_s },
    }))
  );
const accuracy = (given: readonly Given[]) => accuracyOf(tally(given)).accuracy!;

describe("questions", () => {
  it("are the same for the same scene, have names of their own, and their answers are right", () => {
    const [exam] = exams(1, "test");
    const options = { sets: question_sets, moments: 4, settle };
    const questions = planQuestions(exam!, options);
    expect(planQuestions(exam!, options)).toEqual(questions);
    expect(new Set(questions.map(({ id }) => id)).size).toBe(questions.length);
    for (const question of questions) {
      expect(question.t_s).toBeLessThan(exam!.script.duration_s);
      expect([question.text, isRight(question, question.answer)]).toEqual([question.text, true]);
    }
    for (const set of ["moment", "travel", "recall", "poll"]) {
      expect([set, questions.some((question) => question.set === set)]).toEqual([set, true]);
    }
  });

  it("move to the moments that can be gone back to", () => {
    const [exam] = exams(1, "test");
    const planned = planQuestions(exam!, { sets: ["moment"], moments: 3, settle: Math.floor });
    expect(planned.every(({ t_s }) => Number.isInteger(t_s))).toBe(true);
  });

  it("about what is over know how long it is, and as often ask what never was", () => {
    for (const exam of exams(5, "test")) {
      const recall = planQuestions(exam, { sets: ["recall"], moments: 4, settle });
      const of_kind = (kind: QuestionKind) => recall.filter((question) => question.kind === kind).length;
      expect(of_kind("ever")).toBe(of_kind("ever_absent"));
      for (const { t_s, age_s, kind, text } of recall) {
        if (kind !== "ever") continue;
        const [name] = readQuestion(text).names;
        expect(goneBefore(exam, t_s).get(name!)).toBeCloseTo(t_s - age_s!, 9);
      }
    }
  });

  it("are understood by their words, however they are worded", () => {
    const meant: Record<QuestionKind, string> = {
      ...{ here: "here", where: "where", how_many: "how_many", just_happened: "just", first: "first" },
      ...{ so_far: "so_far", ever: "ever", ago: "ago" },
      ...{ where_absent: "where", ever_absent: "ever", how_many_absent: "how_many" },
    };
    const dice = new Dice(1, "words");
    const seen = new Set<string>();
    for (const { script, events } of exams(6, "test", 300)) {
      for (let round = 0; round < 40; round++) {
        for (const kind of question_kinds) {
          const question = ask(kind, script, events, dice.real(10, 299), dice);
          if (!question) continue;
          seen.add(kind);
          expect([question.text, readQuestion(question.text).what]).toEqual([question.text, meant[kind]]);
        }
      }
    }
    expect([...seen].sort()).toEqual([...question_kinds].sort());
  });
});

describe("answers", () => {
  it("that nothing is there have to say so", () => {
    const empty = { facts: { kind: "things", counts: {} } } as const;
    expect(isRight(empty, "nothing")).toBe(true);
    expect(isRight(empty, "old glove face")).toBe(false);
    expect(isRight(empty, "")).toBe(false);
  });

  it("out of the log of an ideal narrator are mostly right, and out of an empty log mostly wrong", () => {
    const some = exams(10, "test");
    const lines = new Map(some.map((exam) => [exam, oracleLines(exam, 2, 0)]));
    const full = giveAll(some, ({ text, t_s }, exam) => answerFromLog(text, t_s, lines.get(exam)!));
    const empty = giveAll(some, ({ text, t_s }) => answerFromLog(text, t_s, []));
    expect(accuracy(full)).toBeGreaterThan(0.75);
    expect(accuracy(full)).toBeGreaterThan(accuracy(empty) + 0.2);
    const { so_far, ever_absent } = accuracyByKind(full);
    expect(so_far!.accuracy).toBeGreaterThan(0.95);
    expect(ever_absent!.accuracy).toBe(1);
  });

  it("out of the log know nothing of what comes later", () => {
    const lines = [{ t_s: 20, text: "a dog comes in from the left" }];
    expect(answerFromLog("was there ever a dog?", 10, lines)).toBe("no");
    expect(answerFromLog("was there ever a dog?", 30, lines)).toBe("yes");
  });

  it("of the blind are worth what the questions give away, and the fitted ones most", () => {
    const fitted = fitAnswerers(
      exams(20, "train").flatMap((exam) => planQuestions(exam, { sets: ["moment"], moments: 4, settle })),
    );
    const test = exams(20, "test");
    const worth = Object.fromEntries(answerer_names.map((name) => {
      const given = giveAll(test, (question, exam) => answerBlindly(name, fitted, question, exam), [
        "moment",
      ]);
      return [name, { overall: accuracy(given), kinds: accuracyByKind(given) }];
    }));
    expect(worth.constant_yes!.kinds.ever!.accuracy).toBe(1);
    expect(worth.constant_yes!.kinds.ever_absent!.accuracy).toBe(0);
    expect(worth.present_only!.kinds.here!.accuracy).toBe(1);
    expect(worth.present_only!.kinds.where!.accuracy).toBe(1);
    expect(worth.most_frequent!.overall).toBeGreaterThan(worth.modal_number!.overall);
    expect(worth.echo!.overall).toBeLessThan(0.2);
    expect(worth.present_only!.overall).toBeLessThan(0.95);
  });

  it("are counted by a number of the question", () => {
    const [exam] = exams(1, "test");
    const given = giveAll([exam!], () => "yes", ["recall"]).map((one, at) => ({
      ...one,
      question: { ...one.question, depth: at % 2 },
    }));
    expect(accuracyBy(given, ({ depth }) => depth).map(({ at }) => at)).toEqual([0, 1]);
  });
});

const ever = (age_s: number, text: string, absent = false): Given => ({
  question: {
    ...{ id: "x", set: "recall", kind: absent ? "ever_absent" : "ever", t_s: 100, text: "?", age_s },
    ...{ facts: { kind: "yes", yes: !absent }, answer: "" },
  },
  ...{ text, at_s: 100 },
});

describe("recall", () => {
  it("is one half for always saying yes, and one for knowing", () => {
    const yes = [ever(5, "yes"), ever(5, "yes", true)];
    expect(recallOf(yes).points).toEqual([{ age_s: 5, asked: 2, accuracy: 0.5 }]);
    expect(recallOf([ever(5, "yes"), ever(5, "no", true)]).points[0]!.accuracy).toBe(1);
  });

  it("has a half-life where it falls half way to chance", () => {
    const knows = (age_s: number, share: number) =>
      Array.from(
        { length: 10 },
        (_, at) => [ever(age_s, at < share * 10 ? "yes" : "no"), ever(age_s, "no", true)],
      )
        .flat();
    expect(recallOf([...knows(5, 1), ...knows(20, 1)]).half_life_s).toBe(null);
    const { half_life_s } = recallOf([...knows(5, 1), ...knows(20, 0)]);
    // From 1 to 0.5 between 5 s and 20 s: half way is 0.75, in the middle by ratio.
    expect(half_life_s).toBeCloseTo(10, 6);
  });
});

describe("polls", () => {
  const poll = (t_s: number, text: string, due_s?: number): Given => ({
    question: {
      ...{
        id: "x",
        set: "poll",
        kind: "ever",
        t_s,
        text: "?",
        facts: { kind: "yes", yes: true },
        answer: "",
      },
      ...(due_s !== undefined && { due_s }),
    },
    ...{ text, at_s: t_s },
  });

  it("notice what came, some time after it did", () => {
    const score = scorePolls([[poll(5, "no", 12), poll(10, "no", 12), poll(15, "yes", 12)]]);
    expect(score).toMatchObject({
      due: 1,
      noticed: 1,
      recall: 1,
      latency_mean_s: 3,
      false_alarms: 0,
      watched_s: 12,
    });
  });

  it("are false alarms before it came, or when it never does", () => {
    const score = scorePolls([[poll(5, "yes", 12), poll(15, "yes", 12)], [poll(5, "no"), poll(10, "yes")]]);
    expect(score).toMatchObject({ due: 1, noticed: 0, false_alarms: 2, watched_s: 15 });
    expect(score.false_alarms_per_hour).toBe(480);
  });
});
