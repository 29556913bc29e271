// Every exponent of every type, at every place of a word: only those of NaN and infinity are found.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { areFinite } from "./finite_numbers.ts";

describe("areFinite", () => {
  for (const [type, ones] of [["bf16", 0x7f80], ["f16", 0x7c00]] as const) {
    it(`knows all 65536 numbers of ${type}, in both halves of a word and at an odd end`, () => {
      const wrong: string[] = [];
      for (let bits = 0; bits < 65_536; bits++) {
        const finite = (bits & ones) !== ones;
        // Neighbours with the largest finite exponent: a carry out of them would be seen as infinity.
        const other = ones - 1;
        for (const at of [0, 1, 2]) {
          const halves = Uint16Array.of(other, other, other).fill(bits, at, at + 1);
          if (areFinite(type, new Uint8Array(halves.buffer)) !== finite) wrong.push(`${bits} at ${at}`);
        }
      }
      expect(wrong).toEqual([]);
    });
  }

  it("knows float32", () => {
    const is = (value: number) => areFinite("f32", new Uint8Array(Float32Array.of(1, value, -2).buffer));
    expect([0, -0, 1e-45, -3.4028234663852886e38, 3.4028234663852886e38].map(is)).toEqual(
      Array(5).fill(true),
    );
    expect([NaN, -NaN, Infinity, -Infinity].map(is)).toEqual(Array(4).fill(false));
    expect(areFinite("f32", new Uint8Array())).toBe(true);
  });
});
