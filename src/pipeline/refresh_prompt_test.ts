import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { hold } from "../../tests/flow/pipeline_law.ts";
import { limits } from "./limits.ts";
import { summarise, writeInstruction } from "./refresh_prompt.ts";

/** One token per character, about as bad as it gets. */
const encode = (text: string) => [...text].map(() => 1);
const tokens = (lines: readonly string[]) => encode(lines.map((line) => ` ${line}`).join("")).length;

describe("summarise", () => {
  it("is the newest captions in the order they were said, as sentences", () => {
    expect(summarise(["A dog runs", "A cat sleeps!", "一只狗在跑。"], encode)).toEqual([
      "A dog runs.",
      "A cat sleeps!",
      "一只狗在跑。",
    ]);
    expect(summarise([], encode)).toEqual([]);
  });

  it("says a thing once, where it was said last", () => {
    expect(summarise(["A dog runs.", "A cat sleeps.", "a dog runs"], encode)).toEqual([
      "A cat sleeps.",
      "a dog runs.",
    ]);
  });

  it("has its bound of tokens and no caption that an older one pushed out", async () => {
    const caption = fc.stringMatching(/^[a-e]{1,4}( [a-e]{1,4}){0,12}$/);
    await hold(200, fc.array(caption, { minLength: 1, maxLength: 20 }), (said) => {
      const lines = summarise(said, encode);
      expect(tokens(lines)).toBeLessThanOrEqual(limits.summary_tokens_max);
      expect(lines.at(-1)).toBe(`${said.at(-1)}.`);
    });
  });

  it("cuts one caption that is longer than all of it", async () => {
    const point = fc.constantFrom("a", "🦢", "犬", " ");
    const long = fc.string({ unit: point, minLength: limits.summary_tokens_max, maxLength: 5_000 });
    await hold(100, long, (text) => {
      const [line] = summarise([text], encode);
      expect(tokens([line!])).toBeLessThanOrEqual(limits.summary_tokens_max);
      expect(line!.isWellFormed()).toBe(true);
      expect(line!.length).toBeGreaterThan(8);
    });
  });
});

describe("writeInstruction", () => {
  const write = (instruction: string, language = "en", summary: string[] = []) =>
    writeInstruction({ instruction, language }, summary, "en");

  it("puts the summary where it belongs, and nothing when there is none", () => {
    expect(write("What happens?{summary}")).toBe("What happens?");
    expect(write("What happens?{summary}", "en", ["A dog runs.", "It stops."])).toBe(
      "What happens? Seen before: A dog runs. It stops.",
    );
    expect(write("What happens?", "en", ["A dog runs."])).toBe("What happens?");
  });

  it("names the language where the instruction does, or when it is not the bundle's own", () => {
    expect(write("Say it in {language}.", "de")).toBe("Say it in German.");
    expect(write("Say it in {language}.")).toBe("Say it in English.");
    expect(write("What happens?", "pt-BR")).toBe("What happens? Answer in Brazilian Portuguese.");
    expect(write("What happens?", "de", ["x."])).toBe("What happens? Answer in German.");
    expect(write("In {language}.", "notalang")).toBe("In notalang.");
  });

  it("does not fill in what a caption says", () => {
    expect(write("{summary} {language}", "de", ["{language} {summary}."])).toBe(
      " Seen before: {language} {summary}. German",
    );
  });
});
