import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { inventScene } from "../world/author.ts";
import { fitAnswerers } from "./answer_baselines.ts";
import { assess, type Evidence } from "./assess.ts";
import { type Exam, examOf, type Group, question_sets, type Sitting } from "./exam.ts";
import { fitNarrators, linesOf, narrator_names, oracleLines } from "./narration_baselines.ts";
import { readOutside, sittingOutside } from "./outside.ts";
import { reportPage } from "./page.ts";
import { planQuestions } from "./question_plan.ts";
import { report_schema } from "./report.ts";
import type { Fitted } from "./section.ts";
import { summaryText } from "./summary.ts";
import { default_tasks, task_names } from "./tasks.ts";
import type { Line } from "./told.ts";

const settle = (t_s: number) => t_s;
const rate_hz = 2;

function scenes(grammar: "train" | "test", count: number, group: Group = "narration", still = false): Exam[] {
  return Array.from({ length: count }, (_, seed) => {
    const level = seed % 2 === 0 ? "L1" as const : "L2" as const;
    const request = { seed, level, duration_s: 60, styles: ["noto"], grammar, still };
    return examOf(`${group}-${seed}`, group, inventScene(request));
  });
}

const training = scenes("train", 12);
const fitted: Fitted = {
  narrators: fitNarrators(training.map((exam) => ({ exam })), rate_hz),
  answerers: fitAnswerers(
    training.flatMap((exam) => planQuestions(exam, { sets: ["moment"], moments: 4, settle })),
  ),
  rate_hz,
  changesOf: () => undefined,
};

function sit(exams: readonly Exam[], narrate: (exam: Exam) => readonly Line[], right: boolean): Sitting[] {
  return exams.map((exam) => ({
    exam,
    lines: narrate(exam),
    ticks: 120,
    answers: planQuestions(exam, { sets: question_sets, moments: 2, settle }).map((question) => ({
      ...{ question, text: right ? question.answer : "old glove", at_s: question.t_s },
    })),
  }));
}

function evidence(sittings: readonly Sitting[]): Evidence {
  return {
    subject: {
      kind: "service",
      name: "a <model>",
      trained: false,
      model_hash: null,
      device: null,
      version: "0",
    },
    settings: {
      ...{
        seed: 1,
        levels: ["L1", "L2"],
        scenes: 1,
        duration_s: 60,
        styles: ["noto"],
        tick_rate_hz: rate_hz,
      },
      ...{ size_px: 96, fps: 15, gates: { change: true, novelty: true }, moments: 2, fit_scenes: 12 },
    },
    ...{
      made_at: "2026-01-01T00:00:00.000Z",
      asked: new Set(task_names),
      sittings,
      memory: [],
      live: [],
      fitted,
    },
    ...{ audits: { fork: null, causality: { passed: true, note: "tried" } }, machine: null },
  };
}

const all = [...scenes("test", 6), ...scenes("test", 2, "still", true), ...scenes("test", 1, "long")];
const ideal = assess(evidence(sit(all, (exam) => oracleLines(exam, rate_hz, 0), true)));
const noise = assess(evidence(sit(all, () => [{ t_s: 7, text: "rice" }, { t_s: 9, text: "rice" }], false)));
const whole = (report: typeof ideal) => report.sections.find(({ name }) => name === "all")!;

describe("a report", () => {
  it("gives an ideal captioner about everything", () => {
    const { strict, answers, timing, wording, strict_f1_interval } = whole(ideal);
    expect(strict.f1).toBeGreaterThan(0.97);
    expect(strict_f1_interval!.low).toBeGreaterThan(0.9);
    expect(answers.accuracy).toBe(1);
    expect(timing.time_diff_s).toBeLessThan(0.6);
    expect(timing.pauc).toBeGreaterThan(0.9);
    expect(wording.repeat_share).toBe(0);
    expect(ideal.stills.every(({ wording }) => wording.silent_tick_share === 1)).toBe(true);
    expect(ideal.travel!.overall.accuracy).toBe(1);
    expect(ideal.polls).toMatchObject({ recall: 1, false_alarms: 0 });
    expect(ideal.recall!.state.points.every(({ accuracy }) => accuracy === 1)).toBe(true);
    expect(ideal.endurance!.parts.every(({ f1 }) => f1 === null || f1 > 0.7)).toBe(true);
  });

  it("gives noise about nothing", () => {
    const { strict, answers, timing } = whole(noise);
    expect([strict.f1, answers.accuracy]).toEqual([0, 0]);
    expect(timing.pauc).toBe(0.125);
    expect(noise.stills[0]!.wording.false_lines_per_min).toBe(2);
    expect(noise.endurance!.longest_loop_lines).toBe(2);
  });

  it("has baselines between the two, and an oracle that is worth less the later it is", () => {
    const { narrators, oracle, answerers, shuffled } = whole(ideal);
    expect(narrators.map(({ name }) => name)).toEqual([...narrator_names]);
    const worth = Object.fromEntries(narrators.map(({ name, f1 }) => [name, f1]));
    expect(worth.always_silent).toBe(0);
    for (const name of ["always_speak", "fixed_timer"]) expect(worth[name]).toBeLessThan(0.2);
    expect(shuffled!.f1).toBeLessThan(0.1);
    expect(oracle.map(({ delay_s }) => delay_s)).toEqual([0, 0.5, 1, 1.5, 2, 3, 4, 5]);
    expect(oracle[0]!.f1).toBeGreaterThan(0.97);
    expect(oracle.at(-1)!.f1).toBeLessThan(0.1);
    for (const [at, { pauc }] of oracle.entries()) {
      if (at > 0) expect(pauc).toBeLessThan(oracle[at - 1]!.pauc!);
    }
    for (const { overall } of answerers) expect(overall.accuracy).toBeLessThan(0.95);
  });

  it("names every task, and says what is not offered", () => {
    const status = Object.fromEntries(ideal.tasks.map(({ task, status }) => [task, status]));
    expect(status).toMatchObject({ T1: "measured", T5: "substitute", T6: "not_offered", T12: "measured" });
    expect(status.T4).toBe("not_asked");
    const few = assess({ ...evidence([]), asked: new Set(default_tasks) });
    expect(few.tasks.every(({ status }) => status === "not_asked" || status === "not_offered")).toBe(true);
  });

  it("keeps to its schema, is a page without network, and some lines of text", () => {
    for (const report of [ideal, noise, assess(evidence([]))]) {
      expect(report_schema.parse(JSON.parse(JSON.stringify(report)))).toEqual(
        JSON.parse(JSON.stringify(report)),
      );
      const page = reportPage(report);
      expect(page).toContain("a &lt;model&gt;");
      expect(page).not.toMatch(/https?:|<script|<link|NaN|undefined|Infinity/);
      expect(summaryText(report)).toContain("a <model> (untrained)");
      expect(summaryText(report)).not.toMatch(/NaN|undefined|Infinity/);
    }
    expect(reportPage(ideal).match(/<svg /g)!.length).toBeGreaterThan(6);
  });
});

describe("fitted narrators", () => {
  it("speak when they are meant to", () => {
    const [exam] = scenes("test", 1);
    const own = { line: "it gets dark", timer: { period_s: 20, delay_s: 5 }, threshold: 10 };
    const changes = [1, 2, 3, 9].map((t_s) => ({ t_s, change: t_s === 3 || t_s === 9 ? 20 : 5 }));
    const times = (name: typeof narrator_names[number]) =>
      linesOf(name, own, { exam: exam!, changes }, rate_hz).map(({ t_s }) => t_s);
    expect(times("always_silent")).toEqual([]);
    expect(times("always_speak").length).toBe(120);
    expect(times("fixed_timer")).toEqual([5, 25, 45]);
    expect(times("frame_difference")).toEqual([3, 9]);
  });

  it("are fitted to what is right most often", () => {
    const stop = (t_s: number) => ({ kind: "stop", t_s, object: "owl", id: 0 }) as const;
    const [exam] = scenes("train", 1);
    const events = [10, 30, 50].map(stop);
    const changes = Array.from(
      { length: 120 },
      (_, tick) => ({ t_s: tick / 2, change: tick % 40 === 20 ? 9 : 1 }),
    );
    const fit = fitNarrators([{ exam: { ...exam!, events }, changes }], rate_hz);
    expect(fit.line).toContain("owl");
    expect(20 % fit.timer.period_s).toBe(0);
    expect(fit.threshold).toBe(9);
  });
});

describe("another captioner", () => {
  const [exam] = scenes("test", 1, "outside");
  const questions = planQuestions(exam!, { sets: ["moment"], moments: 2, settle });

  it("is read from lines of JSON, in any order, and scored like a model", () => {
    const rows = [
      ...questions.map(({ id, answer }) => ({ question: id, text: answer })),
      ...oracleLines(exam!, rate_hz, 0).toReversed(),
    ];
    const heard = readOutside(rows.map((row) => JSON.stringify(row)).join("\n"));
    if ("problem" in heard) throw new Error(heard.problem);
    const [section] = assess(evidence([sittingOutside(exam!, questions, heard, rate_hz)])).sections;
    expect(section!.strict.f1).toBeGreaterThan(0.9);
    expect(section!.answers.accuracy).toBe(1);
  });

  it("is wrong where it says nothing", () => {
    const sitting = sittingOutside(exam!, questions, { lines: [], answers: new Map() }, rate_hz);
    expect(assess(evidence([sitting])).sections[0]!.answers.accuracy).toBe(0);
  });

  it("hears which line cannot be read", () => {
    expect(readOutside('{"t_s":1,"text":"a"}\nrice')).toEqual({ problem: "line 2 is no JSON" });
    expect(readOutside('\n{"t_s":-1,"text":"a"}')).toEqual({
      problem: 'line 2 is neither {"t_s", "text"} nor {"question", "text"}',
    });
  });
});
