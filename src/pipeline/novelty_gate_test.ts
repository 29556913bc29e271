import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { hold } from "../../tests/flow/pipeline_law.ts";
import { limits } from "./limits.ts";
import { measureOverlap, NoveltyGate } from "./novelty_gate.ts";
import type { Caption } from "./ports.ts";

function caption(text: string, t_media_ms: number): Caption {
  return { stream: "cam", seq: 1, tick: 1, t_media_ms, t_wall_ms: 0, text, p_speak: 1, caption_age_ms: 0 };
}

describe("measureOverlap", () => {
  it("is 1 for the same words in any order, case and punctuation, 0 for none in common", () => {
    expect(measureOverlap("A dog runs.", "runs: a DOG!")).toBe(1);
    expect(measureOverlap("a dog", "two cats")).toBe(0);
    expect(measureOverlap("", " … ")).toBe(1);
    expect(measureOverlap("", "dog")).toBe(0);
  });

  it("counts repeats", () => {
    expect(measureOverlap("dog dog dog", "dog")).toBeCloseTo(1 / 3);
  });

  it("compares scripts without blanks by character", () => {
    expect(measureOverlap("一只狗在跑", "一只狗在睡")).toBeCloseTo(4 / 6);
  });

  it("is symmetric and within 0 and 1", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c", " ", "犬", "é"), maxLength: 20 });
    await hold(200, fc.tuple(text, text), ([left, right]) => {
      const overlap = measureOverlap(left, right);
      expect(overlap).toBe(measureOverlap(right, left));
      expect(overlap).toBeGreaterThanOrEqual(0);
      expect(overlap).toBeLessThanOrEqual(1);
    });
  });
});

describe("NoveltyGate", () => {
  it("publishes what is new, not what was said a moment ago", () => {
    const gate = new NoveltyGate(true);
    expect(gate.admit("A dog runs over the grass.", 0)).toBe(true);
    expect(gate.admit("a dog runs over the grass", 500)).toBe(false);
    expect(gate.admit("A cat sleeps.", 1_000)).toBe(true);
    expect(gate.admit("Over the grass runs a dog", 1_500)).toBe(false);
  });

  it("never says the last line again where it is told so, however long ago it was", () => {
    const gate = new NoveltyGate(true, { last_line: true });
    const later_ms = 100 * limits.novelty_window_ms;
    expect(gate.admit("A dog runs.", 0)).toBe(true);
    expect(gate.admit("A dog runs.", later_ms)).toBe(false);
    expect(gate.admit("A cat sleeps.", later_ms)).toBe(true);
    expect(gate.admit("A dog runs.", 2 * later_ms)).toBe(true);
  });

  it("never says the last line again where it is told so, even when it is off", () => {
    const gate = new NoveltyGate(false, { last_line: true });
    expect(gate.admit("A dog runs.", 0)).toBe(true);
    expect(gate.admit("a dog runs", 500)).toBe(false);
    expect(gate.admit("A cat sleeps.", 1_000)).toBe(true);
    expect(gate.admit("A dog runs.", 1_500)).toBe(true);
  });

  it("publishes the same again when the window is over", () => {
    const gate = new NoveltyGate(true);
    gate.admit("a dog", 0);
    expect(gate.admit("a dog", limits.novelty_window_ms)).toBe(false);
    expect(gate.admit("a dog", limits.novelty_window_ms + 1)).toBe(true);
  });

  it("looks back at the newest captions only, and not at what it refused", () => {
    const gate = new NoveltyGate(true);
    gate.admit("first words", 0);
    for (let count = 1; count < limits.novelty_captions; count++) gate.admit(`other ${count}`, count);
    expect(gate.admit("first words", 10)).toBe(false);
    gate.admit("one more", 11);
    expect(gate.admit("first words", 12)).toBe(true);
  });

  it("never publishes text without a word, even when it is off", () => {
    expect(new NoveltyGate(true).admit(" …!", 0)).toBe(false);
    const off = new NoveltyGate(false);
    expect([off.admit("", 0), off.admit("dog", 1), off.admit("dog", 2)]).toEqual([false, true, true]);
  });

  it("knows after a restart what the log says, and nothing else", () => {
    const gate = new NoveltyGate(true);
    gate.admit("said, but never written down", 0);
    gate.restore([caption("a dog", 0), caption("a cat", 500)]);
    expect(gate.admit("a cat", 1_000)).toBe(false);
    expect(gate.admit("said, but never written down", 1_000)).toBe(true);
  });
});
