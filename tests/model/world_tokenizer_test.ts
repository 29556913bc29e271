// Acceptance numbers of the RWKV World vocabulary. The file is not ours to ship; without it these are skipped.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { hashFile } from "../../src/model/bundle_files.ts";
import { Tokenizer } from "../../src/model/tokenizer.ts";

const path = fileURLToPath(new URL("../../../shared/data/rwkv_vocab_v20230424.txt", import.meta.url));
const missing = existsSync(path) ? undefined : "the World vocabulary file is not on this machine";

let world: Tokenizer | undefined;
const load = () => world ??= Tokenizer.parse(Deno.readFileSync(path), path);

const table: [string, number[]][] = [
  ["\n", [11]],
  [" ", [33]],
  ["\n\n", [261]],
  ["User: ", [24281, 59, 33]],
  ["User:", [24281, 59]],
  ["Assistant:", [5585, 41693, 59]],
  ["User: hello\n\nAssistant:", [24281, 59, 38685, 261, 5585, 41693, 59]],
  [
    "User: Describe the scene.\n\nAssistant:",
    [24281, 59, 28759, 8605, 102, 22590, 39597, 47, 261, 5585, 41693, 59],
  ],
  ["\nDescribe the image.\n\nAssistant:", [11, 23563, 8605, 102, 22590, 38744, 47, 261, 5585, 41693, 59]],
  ["Assistant: Yes\n\n", [5585, 41693, 59, 21186, 261]],
  [
    "Answer the question using a single word or phrase.",
    [40301, 22590, 57009, 40085, 332, 47289, 32497, 4715, 46808, 47],
  ],
  ["User: <image>\nDescribe", [24281, 59, 295, 34733, 63, 11, 23563, 8605, 102]],
  [" hello world", [38685, 40213]],
  ["0123 45", [621, 643, 3518]],
  ["Ångström", [2467, 2065, 42329]],
  ["🙂", [3319, 2417]],
  ["今天天气很好。\n\n", [10381, 11639, 11639, 13655, 12337, 11685, 28329, 11]],
  ["System: ", [40812, 59, 33]],
  ["<think", [61, 35762]],
  ["</think>", [754, 35762, 63]],
  ["\x16User:\x17\x16Assistant:", [23, 24281, 59, 24, 23, 5585, 41693, 59]],
];

describe("the World vocabulary", () => {
  it.unless(missing, "is the file that the numbers are about", async () => {
    expect(await hashFile(path)).toBe("e6dee3d4e31b4d5c40ac99508ac6c701ceef4bed681bf2167ce9a908552bca89");
    expect([load().token_count, load().id_max]).toEqual([65_529, 65_529]);
  });

  for (const [text, ids] of table) {
    it.unless(missing, `encodes ${JSON.stringify(text)}`, () => {
      expect(load().encode(text)).toEqual(ids);
      expect(load().decode(ids)).toBe(text);
    });
  }

  it.unless(missing, "has every byte at byte + 1 and 128 blanks at the end", () => {
    for (let byte = 0; byte < 256; byte++) expect([...load().tokenBytes(byte + 1)]).toEqual([byte]);
    expect(load().encode(" ".repeat(128))).toEqual([65_529]);
  });

  it.unless(missing, "gives any text back, also token by token", () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme", maxLength: 200 }));
    fc.assert(fc.property(text, (value) => {
      const tokens = load().encode(value);
      expect(load().decode(tokens)).toBe(value);
      const decoder = load().decoder();
      expect(tokens.map((token) => decoder.push(token)).join("") + decoder.end()).toBe(value);
    }));
  });

  it.unless(missing, "loads and encodes quickly", () => {
    const file = Deno.readFileSync(path);
    const loads_ms = [1, 2, 3].map(() => timed(() => Tokenizer.parse(file, path)));
    // Measured 60 ms; the bound leaves room for a busy machine.
    expect(Math.min(...loads_ms)).toBeLessThan(500);
    const text = "The goose looks at 3 boats, says “今天天气很好。” and swims away.\n".repeat(15_000);
    const encodes_ms = [1, 2, 3].map(() => timed(() => load().encode(text)));
    const mb = new TextEncoder().encode(text).length / 1e6;
    // Measured 28 MB/s.
    expect(mb / (Math.min(...encodes_ms) / 1000)).toBeGreaterThan(1);
  });
});

function timed(body: () => unknown): number {
  const began_ms = performance.now();
  body();
  return performance.now() - began_ms;
}
