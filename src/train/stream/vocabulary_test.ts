import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { inventScene } from "../../world/author.ts";
import { Dice } from "../../world/dice.ts";
import { eventsOf } from "../../world/events.ts";
import { tell } from "../../world/lines.ts";
import { ask, question_kinds } from "../../world/questions.ts";
import { pluralOf, things } from "../../world/vocabulary.ts";
import { capital, nameToken, worldVocabulary } from "./vocabulary.ts";

const { encode, decode, turn_end, silence, size } = worldVocabulary();
/** Pieces of single bytes that are no punctuation: a word is missing. */
const spelt = (text: string) =>
  encode(text).filter((id) => id < turn_end && !",?.".includes(String.fromCharCode(id - 1)));

describe("the world's vocabulary", () => {
  it("has one piece for every name and plural", () => {
    for (const { name } of things) {
      for (const one of [name, pluralOf(name)]) expect([one, encode(` ${one}`).length]).toEqual([one, 1]);
    }
    expect(new Set(things.map(({ name }) => nameToken(name))).size).toBe(things.length);
  });

  it("spells no line, question or answer, and gives each back", () => {
    const dice = new Dice(1, "vocabulary");
    let lines = 0, questions = 0;
    for (let seed = 0; seed < 40; seed++) {
      const request = { seed, level: "L3", duration_s: 120, styles: ["noto"], grammar: "train" } as const;
      const script = inventScene(request), events = eventsOf(script);
      for (const event of events) {
        const line = ` ${tell({ event }, dice)}`;
        expect([line, spelt(line), decode(encode(line))]).toEqual([line, [], line]);
        lines++;
      }
      for (const kind of question_kinds) {
        const question = ask(kind, script, events, 100, dice);
        if (!question) continue;
        for (const text of [question.text, capital(question.text)]) {
          const prompt = `User: ${text}\n\nAssistant: ${question.answer}\n\n`;
          expect([prompt, spelt(prompt), decode(encode(prompt))]).toEqual([prompt, [], prompt]);
          expect(encode(prompt).filter((id) => id === turn_end).length).toBe(2);
        }
        questions++;
      }
    }
    expect([lines > 500, questions > 200]).toEqual([true, true]);
  });

  it("keeps silence behind all text", () => {
    expect(silence).toBeLessThan(size);
    expect(size % 64).toBe(0);
    expect(Math.max(...encode(things.map(({ name }) => name).join(" ")))).toBeLessThan(silence);
    expect(decode([silence])).toBe("");
  });
});
