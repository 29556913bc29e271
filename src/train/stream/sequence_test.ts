import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { slots_per_frame } from "../../vision/slots.ts";
import { default_question_weights } from "./asking.ts";
import { packRows } from "./batch.ts";
import { makeRow, type RowRequest } from "./rows.ts";
import { Scores } from "./scores.ts";
import { next_vector, no_target, padding, roles, Sequence } from "./sequence.ts";
import { slot_width, tick_floats } from "./simulate.ts";
import { worldVocabulary, worldWords } from "./vocabulary.ts";

const { decode, encode, silence, turn_end, size } = worldVocabulary();
const request: RowRequest = {
  seed: 3,
  ticks: 80,
  styles: ["noto"],
  errors_max: 1,
  real_share: 0,
  gated_share: 0,
  questions: default_question_weights,
  asked_at_end: [2, 4],
  asked_between: 0,
};
const rowOf = (change: Partial<RowRequest>) => makeRow({ ...request, ...change }, undefined);

describe("a sequence", () => {
  it("never feeds silence, and feeds a line up to its turn end", () => {
    const sequence = new Sequence(worldWords(), slots_per_frame);
    sequence.tick(0, undefined);
    sequence.tick(1, "the dog stops");
    sequence.question({ text: "what is here?", answer: "a dog" });
    const frame = Array.from({ length: slots_per_frame }, () => next_vector);
    const line = [...encode(" the dog stops"), turn_end];
    const prompt = encode("User: what is here?\n\nAssistant:"), answer = [...encode(" a dog"), turn_end];
    expect(sequence.tokens).toEqual([...frame, ...frame, ...line, ...prompt, ...answer]);
    const quiet = frame.slice(1).map(() => no_target);
    expect(sequence.targets).toEqual([
      ...[...quiet, silence],
      ...[...quiet, ...line, no_target],
      ...[...prompt.slice(1).map(() => no_target), ...answer, no_target],
    ]);
  });

  it("gives a reader of its targets the labels back", async () => {
    let lines = 0, answers = 0;
    for (let seed = 0; seed < 20; seed++) {
      const { clip, sequence, questions } = await rowOf({ seed });
      const said = (from: number) => {
        const end = sequence.targets.indexOf(turn_end, from);
        return decode(sequence.targets.slice(from, end)).trim();
      };
      sequence.decisions.forEach((position, at) => {
        const { line } = clip.labels[sequence.ticks[at]!]!;
        if (line === undefined) return expect(sequence.targets[position]).toBe(silence);
        expect(said(position)).toBe(line);
        lines++;
      });
      questions.forEach(({ answer }, at) => expect(said(sequence.answers[at]!)).toBe(answer));
      answers += questions.length;
      // What is predicted is what is fed next.
      sequence.targets.forEach((target, at) => {
        const spoken = target !== no_target && target !== silence && sequence.roles[at] !== roles.seen;
        if (spoken) expect(sequence.tokens[at + 1]).toBe(target);
      });
    }
    expect([lines > 150, answers > 30]).toEqual([true, true]);
  });

  it("has only ids that the model has rows for", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const { tokens, targets } = (await rowOf({ seed, asked_between: 0.2 })).sequence;
      expect(tokens.every((token) => token === next_vector || (token > 0 && token < silence))).toBe(true);
      expect(targets.every((target) => target === no_target || (target > 0 && target < size))).toBe(true);
    }
  });
});

describe("rows", () => {
  it("are the same for the same request", async () => {
    const [once, again] = [await rowOf({}), await rowOf({})];
    expect(again.sequence).toEqual(once.sequence);
    expect(again.vectors).toEqual(once.vectors);
    expect((await rowOf({ seed: 4 })).vectors).not.toEqual(once.vectors);
  });

  it("of a gated clip leave still ticks out, but none that is spoken in", async () => {
    let left_out = 0;
    for (let seed = 0; seed < 20; seed++) {
      const all = await rowOf({ seed }), fed = await rowOf({ seed, gated_share: 1 });
      left_out += all.sequence.ticks.length - fed.sequence.ticks.length;
      expect(fed.vectors.length).toBe(fed.sequence.ticks.length * tick_floats);
      const lines = (row: typeof all) =>
        row.sequence.roles.filter((role) => role === roles.first_word).length;
      expect(lines(fed)).toBe(lines(all));
    }
    expect(left_out).toBeGreaterThan(50);
  });

  it("side by side weigh 1 in all, and take as many vectors as there are places", async () => {
    for (const seeds of [[1], [1, 2, 3, 4], [5, 6]]) {
      const made = await Promise.all(seeds.map((seed) => rowOf({ seed, gated_share: 0.5 })));
      const rows = made.map((row) => ({ ...row, reset: true }));
      const weights = { silence: 0.35, first_word: 1, word: 1, answer: 1, seen: 0.1 };
      const batch = packRows(rows, slot_width, weights, true);
      const sum = (batch.weights!.data as Float32Array).reduce((total, one) => total + one, 0);
      expect(Math.abs(sum - 1)).toBeLessThan(1e-4);
      const tokens = batch.tokens!.data as Int32Array;
      expect(tokens.filter((token) => token === next_vector).length).toBe(batch.vectors!.dims[0]);
      expect(tokens.length - tokens.filter((token) => token === padding).length)
        .toBe(rows.reduce((total, { sequence }) => total + sequence.length, 0));
      expect(batch.reset!.data).toEqual(Int32Array.from(seeds, () => 1));
    }
  });
});

describe("scores", () => {
  const peak = (id: number) => Float32Array.from({ length: size }, (_, at) => at === id ? 20 : 0);

  it("are full for who knows the targets, and nothing for who is silent or always says the same", async () => {
    const perfect = new Scores(), silent = new Scores(), babble = new Scores();
    for (let seed = 0; seed < 8; seed++) {
      const row = await rowOf({ seed });
      perfect.add(row, (position) => peak(row.sequence.targets[position]!));
      silent.add(row, () => peak(silence));
      babble.add(row, () => peak(encode(" the")[0]!));
    }
    expect(perfect.summary()).toMatchObject({ f1: 1, timing_f1: 1, quiet: 1, worded: 1, asked: 1 });
    expect(silent.summary()).toMatchObject({ f1: 0, timing_f1: 0, quiet: 1 });
    expect(babble.summary()).toMatchObject({ f1: 0, quiet: 0, asked: 0 });
    expect(babble.summary().timing_f1).toBeLessThan(0.6);
  });
});
