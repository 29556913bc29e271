import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { JsonRefused, parseStrictJson } from "./strict_json.ts";

const parse = (text: string) => parseStrictJson(new TextEncoder().encode(text));

describe("parseStrictJson", () => {
  it("gives what JSON.parse gives", () => {
    const texts = [
      '{"a": {"a": 1}, "b": ["a", "a", {"a": 2}, {"a": 3}], "c\\"{": "}"}',
      '[[], {}, "x", -1.5e3, null, true, "\\\\"]',
      '"a"',
      '{"__proto__": 1, "": {"": 2}}',
    ];
    for (const text of texts) expect(parse(text)).toEqual(JSON.parse(text));
  });

  it("refuses a key that is there twice, however it is spelled", () => {
    const texts = ['{"a":1,"a":2}', '{"a":1,"b":{},"\\u0061":2}', '[{"x":[{}],"a":{"k":1,"l":[1,2],"k":2}}]'];
    for (const text of texts) expect(() => parse(text)).toThrow(/^has "[ak]" twice$/);
  });

  it("refuses what is no JSON", () => {
    for (
      const text of ["", "{", '{"a', '{"a\\', '{"a":1,}', "[1}", "]", '{"\\x":1}', '"a" "b"', '{"a" "b"}']
    ) {
      expect(() => parse(text)).toThrow(/^is not JSON in UTF-8$/);
    }
    expect(() => parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(JsonRefused);
  });

  it("takes long texts and refuses deep nests", () => {
    expect(parse(`"${"x".repeat(3_000_000)}"`)).toHaveLength(3_000_000);
    expect(parse(`${"[".repeat(64)}${"]".repeat(64)}`)).toHaveLength(1);
    expect(() => parse("[".repeat(1_000_000))).toThrow(/nested more than 64 deep/);
    expect(() => parse('{"a":'.repeat(1_000_000))).toThrow(/nested more than 64 deep/);
  });
});
