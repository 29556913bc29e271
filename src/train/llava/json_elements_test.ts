import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { readElements } from "./json_elements.ts";
import { data_limits } from "./limits.ts";

async function elementsOf(name: string, text: string) {
  const dir = await Deno.makeTempDir({ prefix: "gander-elements-" });
  try {
    const path = `${dir}/${name}`;
    await Deno.writeTextFile(path, text);
    const found = [];
    for await (const { offset, length, line, number, bytes } of readElements(path)) {
      const there = new TextEncoder().encode(text).slice(offset, offset + length);
      if (bytes !== undefined) expect(bytes).toEqual(there);
      found.push({ line, number, text: bytes && new TextDecoder().decode(bytes).trim() });
    }
    return found;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

describe("readElements()", () => {
  it("finds the elements of a list with their lines, whatever stands in their strings", async () => {
    const text = '\n[\n {"a": "]},[\\"", "b": [1, {"c": "\\\\"}]},\n\n {"é": 2}, 3\n]\n';
    expect(await elementsOf("x.json", text)).toEqual([
      { line: 3, number: 1, text: '{"a": "]},[\\"", "b": [1, {"c": "\\\\"}]}' },
      { line: 5, number: 2, text: '{"é": 2}' },
      { line: 5, number: 3, text: "3" },
    ]);
    expect(await elementsOf("x.json", " [ ] ")).toEqual([]);
  });

  it("finds lines, and passes over empty ones", async () => {
    expect(await elementsOf("x.jsonl", '{"a":1}\n\n  \r\n{"b":2}')).toEqual([
      { line: 1, number: 1, text: '{"a":1}' },
      { line: 4, number: 2, text: '{"b":2}' },
    ]);
  });

  it("puts together what lies across the pieces of a file", async () => {
    const long = "x".repeat(data_limits.piece_bytes);
    const rows = [{ a: long }, { b: 1 }, { c: [long, { d: "]" }] }];
    const whole = rows.map((row) => JSON.stringify(row));
    expect((await elementsOf("x.json", `[${whole.join(",")}]`)).map(({ text }) => text)).toEqual(whole);
    expect((await elementsOf("x.jsonl", whole.join("\n"))).map(({ text }) => text)).toEqual(whole);
  });

  it("names an element that is too long, and finds the next", async () => {
    const text = `["${"x".repeat(data_limits.row_bytes_max)}", 1]`;
    expect(await elementsOf("x.json", text)).toEqual([
      { line: 1, number: 1, text: undefined },
      { line: 1, number: 2, text: "1" },
    ]);
  });

  it("refuses what is no list, with the line", async () => {
    await expect(elementsOf("x.json", '{"a":1}')).rejects.toThrow("does not begin with [");
    await expect(elementsOf("x.json", '[\n{"a":1},\n,2]')).rejects.toThrow("line 3: an element is missing");
    await expect(elementsOf("x.json", '[{"a":1}')).rejects.toThrow("cut short");
    await expect(elementsOf("x.json", "[1]\n2")).rejects.toThrow(
      "line 2: there is something behind the list",
    );
    await expect(readElements("/nowhere/x.json").next()).rejects.toThrow(
      'Cannot read "/nowhere/x.json": not found',
    );
  });
});
