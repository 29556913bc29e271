import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { ModelError } from "./errors.ts";
import { Tokenizer } from "./tokenizer.ts";

const hex = (byte: number) => byte.toString(16).padStart(2, "0");
const byte_lines = Array.from({ length: 256 }, (_, byte) => `${byte + 1} b'\\x${hex(byte)}' 1`);
const parse = (lines: string[]) =>
  Tokenizer.parse(new TextEncoder().encode(lines.join("\n") + "\n"), "t.txt");

function refusal(lines: string[]): string {
  try {
    parse(lines);
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
    expect((error as ModelError).code).toBe("tokenizer_invalid");
    return (error as ModelError).message;
  }
  return "accepted";
}

describe("Tokenizer", () => {
  const words = parse([...byte_lines, "257 ' hello' 6", "258 ' hell' 5", "300 '\\n\\n' 2", "301 '今天' 6"]);

  it("takes the longest token", () => {
    expect(words.encode(" hello hell")).toEqual([257, 258]);
    expect(words.encode("\n\n\n")).toEqual([300, 11]);
    expect(words.encode("")).toEqual([]);
  });

  it("decodes unknown ids as nothing", () => {
    expect(words.decode([0, 257, 299, 100_000, 258])).toBe(" hello hell");
  });

  it("gives every text back", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom(" ", "h", "e", "l", "o", "今") }),
    );
    fc.assert(fc.property(text, (value) => {
      const tokens = words.encode(value);
      expect(words.decode(tokens)).toBe(value);
      const decoder = words.decoder();
      expect(tokens.map((token) => decoder.push(token)).join("") + decoder.end()).toBe(value);
    }));
  });

  it("gives all bytes back, UTF-8 or not", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => {
      expect(words.decodeBytes(words.encodeBytes(bytes))).toEqual(bytes);
    }));
  });

  it("takes a long text without recursion", () => {
    const text = " hello".repeat(200_000);
    expect(words.encode(text).length).toBe(200_000);
  });

  const bad: [string, string[], string][] = [
    ["an id given twice", [...byte_lines, "5 'xx' 2"], "line 257: id 5 was given before"],
    ["bytes given twice", [...byte_lines, "300 'a' 1"], "line 257: the bytes of id 300 have an id already"],
    ["a wrong length", [...byte_lines, "300 'ab' 3"], "line 257: the token has 2 bytes, the line says 3"],
    ["id 0", ["0 'x' 1"], "line 1: id 0 is reserved"],
    ["a huge id", ["99999999 'x' 1"], "line 1: id 99999999 is above 1048575"],
    ["no literal", ["1 5"], "line 1: the line needs"],
    ["no length", ["1 'a' b"], "line 1: the line does not end with a byte count"],
    ["no id", ["'a' 1"], "line 1: the line does not begin with an id"],
    ["a negative id", ["-1 'a' 1"], "line 1: the line does not begin with an id"],
    ["an empty line", [...byte_lines, "", "300 'ab' 2"], "line 257: the line does not begin"],
    ["an empty token", [...byte_lines, "300 '' 0"], "line 257: the token is empty"],
    ["a broken literal", [...byte_lines, "300 'a'b' 3"], "line 257: the token has an unescaped quote"],
    ["a missing byte", byte_lines.slice(0, 255), "no token for the byte 0xff"],
  ];
  for (const [name, lines, message] of bad) {
    it(`refuses ${name}`, () => expect(refusal(lines)).toContain(message));
  }

  it("refuses an empty file and one that is not UTF-8", () => {
    expect(() => Tokenizer.parse(new Uint8Array(0), "t.txt")).toThrow("the file is empty");
    expect(() => Tokenizer.parse(Uint8Array.of(0x31, 0xff), "t.txt")).toThrow("not UTF-8");
  });

  it("keeps blanks that belong to the literal", () => {
    expect(parse([...byte_lines, "300 ' a  b ' 6"]).encode(" a  b ")).toEqual([300]);
  });
});
