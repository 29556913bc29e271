import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { stripComments } from "./json_comments.ts";

describe("stripComments", () => {
  it("takes out comments and trailing commas and keeps strings", () => {
    const text = '{\n  // why\n  "a": "http://x/*y*/", /* b */ "c": [1, 2, /* d */ ], // e\n}';
    expect(JSON.parse(stripComments(text))).toEqual({ a: "http://x/*y*/", c: [1, 2] });
    expect(stripComments(text).length).toBe(text.length);
  });

  it("leaves broken JSON broken", () => {
    expect(() => JSON.parse(stripComments('{"a": 1 "b": 2}'))).toThrow();
    expect(() => JSON.parse(stripComments('{"a": "unclosed // }'))).toThrow();
  });
});
