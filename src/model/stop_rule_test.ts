import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { StopRule } from "./stop_rule.ts";
import { StreamDecoder } from "./token_decoder.ts";

/** Token n is the text of the table; 0 and 9 have none. */
function run(
  texts: Record<number, string>,
  tokens: number[],
  stop_text: string | undefined,
  stops: number[] = [],
) {
  const decoder = new StreamDecoder((token) => new TextEncoder().encode(texts[token] ?? ""));
  const rule = new StopRule({ tokens: stops, text: stop_text }, decoder);
  const shown = tokens.map((token) => rule.push(token));
  return { shown, rest: rule.end(), stopped: rule.stopped };
}

const texts = { 1: " a", 2: "b.\n", 3: "\n", 4: "\n\n", 5: "c\n\nUser:", 6: "\n x" };

describe("StopRule", () => {
  it("stops at token 0 and at every stop token", () => {
    expect(run(texts, [1, 0, 1], "\n\n").shown).toEqual([" a", "", ""]);
    expect(run(texts, [1, 9, 1], undefined, [9])).toEqual({ shown: [" a", "", ""], rest: "", stopped: true });
  });

  it("cuts at the stop text inside a token", () => {
    expect(run(texts, [1, 5, 1], "\n\n")).toEqual({ shown: [" a", "c", ""], rest: "", stopped: true });
  });

  it("sees the stop text across two tokens and shows nothing of it", () => {
    expect(run(texts, [2, 3, 1], "\n\n").shown).toEqual(["b.", "", ""]);
  });

  it("gives back what waited when it was not the stop text", () => {
    expect(run(texts, [2, 1], "\n\n")).toEqual({ shown: ["b.", "\n a"], rest: "", stopped: true });
    expect(run(texts, [2], "\n\n")).toEqual({ shown: ["b."], rest: "\n", stopped: true });
    expect(run(texts, [2, 0], "\n\n").shown).toEqual(["b.", "\n"]);
  });

  it("shows exactly the text before the first stop text, for any split", () => {
    const piece = fc.string({ unit: fc.constantFrom("\n", "#", "a"), maxLength: 3 });
    const stop = fc.constantFrom("\n\n", "##a", "#\n#", "a");
    fc.assert(fc.property(fc.array(piece), stop, (pieces, stop_text) => {
      const table = Object.fromEntries(pieces.map((text, index) => [index + 1, text]));
      const { shown, rest } = run(table, pieces.map((_, index) => index + 1), stop_text);
      expect(shown.join("") + rest).toBe(pieces.join("").split(stop_text)[0]);
    }));
  });
});
