import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import type { WorldEvent } from "../world/events.ts";
import { addWordings, scoreWording, wordingOf } from "./wording_score.ts";

const stop: WorldEvent = { kind: "stop", t_s: 10, object: "dog", id: 0 };
const shape = { duration_s: 60, ticks: 120 };

describe("wording", () => {
  it("counts false lines and repeats, and not a true line said once", () => {
    const texts = ["the dog stops", "the dog stops", "the dog stands still", "the cat stops"];
    const lines = texts.map((text, at) => ({ t_s: 10 + at, text }));
    const sums = scoreWording(lines, [stop], shape);
    // One of the three fits the event; the two others say it again.
    expect([sums.lines, sums.false_lines, sums.repeats]).toEqual([4, 3, 2]);
    expect(sums.loop_lines).toBe(2);
  });

  it("takes words that tell nothing for repeats when they are the same", () => {
    const lines = [1, 2, 30].map((t_s) => ({ t_s, text: "Hello there" }));
    expect(scoreWording(lines, [], shape).repeats).toBe(1);
  });

  it("finds repeated runs of four words within a minute, not over two", () => {
    const line = (t_s: number) => ({ t_s, text: "one two three four" });
    expect(wordingOf(scoreWording([line(1), line(70)], [], shape)).rep_4).toBe(0);
    // one..four, two three four one, three four one two, four one two three, one..four again: one of five.
    expect(wordingOf(scoreWording([line(1), line(30)], [], shape)).rep_4).toBe(0.2);
  });

  it("says how much of the time is silent", () => {
    const wording = wordingOf(addWordings([scoreWording([{ t_s: 1, text: "hello you" }], [], shape)]));
    expect(wording.silent_tick_share).toBeCloseTo(119 / 120, 9);
    expect([wording.lines_per_min, wording.words_per_min, wording.false_lines_per_min]).toEqual([1, 2, 1]);
    expect(wordingOf(addWordings([])).silent_tick_share).toBe(null);
  });
});
