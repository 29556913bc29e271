import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { answers } from "./answers.ts";
import { inventScene, test_seed_first } from "./author.ts";
import { Dice } from "./dice.ts";
import { eventsOf } from "./events.ts";
import { ask, question_kinds, type QuestionKind } from "./questions.ts";

describe("questions", () => {
  const asked = new Map<QuestionKind, { text: string; answer: string }[]>();

  it("of every kind have an answer that is judged right, and wrong ones that are not", () => {
    const dice = new Dice(4, "questions");
    for (let seed = 0; seed < 40; seed++) {
      const request = {
        seed: test_seed_first + seed,
        level: "L2",
        duration_s: 200,
        styles: ["noto"],
        grammar: "test",
      } as const;
      const script = inventScene(request), events = eventsOf(script);
      for (const kind of question_kinds) {
        for (let t_s = 5; t_s < 200; t_s += 17) {
          const question = ask(kind, script, events, t_s, dice);
          if (!question) continue;
          const { text, answer, facts } = question;
          expect([text, answer, answers.isRight(facts, answer)]).toEqual([text, answer, true]);
          expect(text).not.toContain("{");
          for (const wrong of ["", "perhaps", "a purple submarine", "the and of"]) {
            if (facts.kind !== "things" || Object.keys(facts.counts).length > 0) {
              expect([text, wrong, answers.isRight(facts, wrong)]).toEqual([text, wrong, false]);
            }
          }
          asked.set(kind, [...asked.get(kind) ?? [], { text, answer }]);
        }
      }
    }
    for (const kind of question_kinds) {
      expect([kind, (asked.get(kind)?.length ?? 0) > 20]).toEqual([kind, true]);
    }
  });

  it("cannot be answered by one sentence for all", () => {
    for (const kind of ["here", "where", "how_many", "first", "so_far"] as const) {
      const all = asked.get(kind)!, counts = new Map<string, number>();
      for (const { answer } of all) counts.set(answer, (counts.get(answer) ?? 0) + 1);
      expect([kind, Math.max(...counts.values()) / all.length < 0.9]).toEqual([kind, true]);
    }
  });
});

describe("answers", () => {
  it("are judged by what they say, not how", () => {
    const things = { kind: "things" as const, counts: { dog: 1, owl: 2 } };
    expect(answers.isRight(things, "Two owls and a dog.")).toBe(true);
    expect(answers.isRight(things, "I can see a dog, and owls")).toBe(true);
    expect(answers.isRight(things, "a dog and an owl")).toBe(false);
    expect(answers.isRight(things, "two owls, a dog and a cat")).toBe(false);
    expect(answers.isRight({ kind: "things", counts: {} }, "nothing")).toBe(true);
    expect(answers.isRight({ kind: "place", place: "top left", name: "dog" }, "at the upper left")).toBe(
      true,
    );
    expect(answers.isRight({ kind: "place", place: "left", name: "dog" }, "top left")).toBe(false);
    expect(answers.isRight({ kind: "number", count: 0 }, "there are no dogs")).toBe(true);
    expect(answers.isRight({ kind: "number", count: 2 }, "2")).toBe(true);
    expect(answers.isRight({ kind: "name", name: "dog" }, "the dog or the cat")).toBe(false);
    const events = [{ kind: "enter" as const, t_s: 1, object: "dog", side: "left" as const }];
    expect(answers.isRight({ kind: "events", events }, "a dog came in from the right")).toBe(false);
    expect(answers.isRight({ kind: "events", events }, "here comes a dog from the left")).toBe(true);
  });
});
