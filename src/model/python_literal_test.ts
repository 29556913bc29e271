import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { readLiteral } from "./python_literal.ts";

function read(literal: string): number[] | string {
  const out = new Uint8Array(64);
  const count = readLiteral(literal, out);
  return typeof count === "string" ? count : [...out.subarray(0, count)];
}

describe("readLiteral()", () => {
  it("reads text as UTF-8", () => {
    expect(read("'ab'")).toEqual([0x61, 0x62]);
    expect(read(`"it's"`)).toEqual([0x69, 0x74, 0x27, 0x73]);
    expect(read("'é🙂'")).toEqual([0xc3, 0xa9, 0xf0, 0x9f, 0x99, 0x82]);
  });

  it("reads escapes", () => {
    expect(read(String.raw`'\n\t\r\\\'\"\a\b\f\v'`)).toEqual([10, 9, 13, 92, 39, 34, 7, 8, 12, 11]);
    expect(read(String.raw`'\u4eca\U0001F642'`)).toEqual([0xe4, 0xbb, 0x8a, 0xf0, 0x9f, 0x99, 0x82]);
  });

  it("takes \\x as a code point in text and as a byte in bytes", () => {
    expect(read(String.raw`'\x80'`)).toEqual([0xc2, 0x80]);
    expect(read(String.raw`b'\x80'`)).toEqual([0x80]);
    expect(read(`b"a'b"`)).toEqual([0x61, 0x27, 0x62]);
  });

  const refused: [string, string][] = [
    ["abc", "not a quoted"],
    ["'abc\"", "not a quoted"],
    ["'", "not a quoted"],
    ["b'", "not a quoted"],
    ["u'a'", "not a quoted"],
    ["'a'b'", "unescaped quote"],
    [String.raw`'\n'b'`, "unescaped quote"],
    [String.raw`'a\'`, "ends inside an escape"],
    [String.raw`'\x8'`, "needs 2 hex digits"],
    [String.raw`'\xg0'`, "needs 2 hex digits"],
    [String.raw`'\ud800'`, "is not a character"],
    [String.raw`'\U00110000'`, "is not a character"],
    [String.raw`'\N{DASH}'`, "not allowed"],
    [String.raw`'\0'`, "not allowed"],
    [String.raw`b'\u0041'`, "not allowed"],
    ["b'é'", "above 0x7f"],
    [String.raw`'\constructor'`, "not allowed"],
  ];
  for (const [literal, reason] of refused) {
    it(`refuses ${literal}`, () => expect(read(literal)).toContain(reason));
  }
});
