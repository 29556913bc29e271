import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { addHistory, addQuestion, type AskedQuestion, failOpen, questions_kept_max } from "./questions.ts";

const asked = (id: string, part: Partial<AskedQuestion> = {}): AskedQuestion => ({
  id,
  stream: "cam",
  question: "What?",
  at: "now",
  asked_ms: 10,
  text: "",
  phase: "waiting",
  ...part,
});
const kept = (id: string, asked_at: string) => ({
  id,
  stream: "cam",
  question: "Then?",
  answer: "A cat.",
  tick: 1,
  t_media_ms: 1,
  t_wall: asked_at,
  asked_at,
  status: "done" as const,
});

describe("questions", () => {
  it("are bounded", () => {
    let questions: readonly AskedQuestion[] = [];
    for (let i = 0; i < questions_kept_max + 3; i++) questions = addQuestion(questions, asked(`q${i}`));
    expect(questions.length).toBe(questions_kept_max);
    expect(questions[0].id).toBe("q3");
  });
  it("of earlier sessions come before, once", () => {
    const ours = [asked("mine", { asked_ms: Date.parse("2031-01-01T00:00:09Z") })];
    const merged = addHistory(ours, [
      kept("mine", "2031-01-01T00:00:09Z"),
      kept("old", "2031-01-01T00:00:01Z"),
    ]);
    expect(merged.map((question) => question.id)).toEqual(["old", "mine"]);
    expect(merged[1].phase).toBe("waiting");
  });
  it("that were open fail with a lost connection, the others stay", () => {
    const [open, done] = failOpen([asked("a"), asked("b", { phase: "answered" })]);
    expect(open).toMatchObject({ phase: "failed", error: { code: "connection_lost" } });
    expect(done.phase).toBe("answered");
  });
});
