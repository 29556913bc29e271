import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { durationText, Progress, sayOn } from "./progress.ts";

function shownOn(is_terminal: boolean, step_ms: number): string[] {
  const texts: string[] = [];
  let now_ms = 0;
  const progress = new Progress(sayOn((text) => texts.push(text), is_terminal), () => now_ms);
  for (let step = 11; step <= 30; step++) {
    progress.update({
      step,
      steps: 30,
      loss: step === 11 ? undefined : 1.23456,
      lr: 3e-4,
      speed: "9 tokens/s",
    });
    now_ms += step_ms;
  }
  return texts;
}

describe("Progress", () => {
  it("says a whole line now and then where there is no terminal, and at the end", () => {
    expect(shownOn(false, 5_000)).toEqual([
      "step 11/30  loss ?  lr 3.00e-4  9 tokens/s  eta ?\n",
      "step 14/30  loss 1.235  lr 3.00e-4  9 tokens/s  eta 1 min 20 s\n",
      ...[17, 20, 23, 26, 29].map((step) => expect.stringContaining(`step ${step}/30`)),
      "step 30/30  loss 1.235  lr 3.00e-4  9 tokens/s  eta 0 s\n",
    ]);
  });

  it("draws a bar over itself on a terminal, four times a second at most", () => {
    const texts = shownOn(true, 100);
    expect(texts.length).toBe(8);
    const clear = "\r\x1b[K";
    expect(texts[0]!.startsWith(`${clear}[${"█".repeat(9)}${"·".repeat(15)}] step 11/30`)).toBe(true);
    expect(texts.slice(0, -1).some((text) => text.includes("\n"))).toBe(false);
    expect(texts.at(-1)!.startsWith(`${clear}step 30/30`) && texts.at(-1)!.endsWith("\n")).toBe(true);
  });
});

describe("durationText", () => {
  it("has two units at most", () => {
    expect([400, 12_000, 250_000, 11_100_000].map(durationText)).toEqual([
      "0 s",
      "12 s",
      "4 min 10 s",
      "3 h 05 min",
    ]);
  });
});
