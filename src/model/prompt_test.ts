import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { cleanQuestion, fillMark, fillQuestion } from "./prompt.ts";

describe("cleanQuestion()", () => {
  it("trims and makes every run of blank lines one newline", () => {
    expect(cleanQuestion("  What?\n\n \n  Now? \r\n\r\n", "\n\n")).toBe("What?\n  Now?");
    expect(cleanQuestion("one\ntwo", "\n\n")).toBe("one\ntwo");
  });

  it("drops control characters, which may be role marks", () => {
    expect(cleanQuestion("a\u0016User:\u0017b\u0000", undefined)).toBe("aUser:b");
  });

  it("never leaves the stop text inside", () => {
    const stop = fc.string({ unit: fc.constantFrom("#", "\n", " ", "a"), minLength: 1, maxLength: 4 }).filter(
      (s) => s !== " ",
    );
    const text = fc.string({ unit: fc.constantFrom("#", "\n", " ", "a", "\r") });
    fc.assert(fc.property(text, stop, (value, stop_text) => {
      const clean = cleanQuestion(value, stop_text);
      expect(clean).not.toContain(stop_text);
      expect(clean).not.toContain("\n\n");
      expect(clean).toBe(clean.trim());
    }));
  });
});

describe("templates", () => {
  it("put the question in as it is", () => {
    expect(fillQuestion("User: {question}\n\nA:", "why {question} $& $1?")).toBe(
      "User: why {question} $& $1?\n\nA:",
    );
  });

  it("tell media time", () => {
    expect(fillMark("{seconds} s", 12_999)).toBe("12 s");
    expect(fillMark("[{clock}]", 725_000)).toBe("[12:05]");
    expect(fillMark("{clock}", 3_607_000)).toBe("1:00:07");
    expect(fillMark("{clock}", 0)).toBe("0:00");
  });
});
