import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { defaultRanks, initialRwkv } from "./init.ts";
import { orthogonal } from "./orthogonal.ts";

const count = (tensors: Map<string, { data: Float32Array }>) =>
  [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0);

describe("initialRwkv", () => {
  it("has the official number of parameters", () => {
    // Spec 3.7: 2VD + 4D + L(12D² + 18D + 2D(w + a + g)) + (L - 1)(D + 2Dv).
    const [V, D, L] = [300, 128, 3], ranks = { w: 24, a: 20, v: 16, g: 40 };
    const wanted = 2 * V * D + 4 * D + L * (12 * D * D + 18 * D + 2 * D * (24 + 20 + 40)) +
      (L - 1) * (D + 2 * D * 16);
    expect(count(initialRwkv({ version: 7, layers: L, width: D, vocab: V, ranks, seed: 1 }))).toBe(wanted);
  });

  it("takes the released ranks, and the formula elsewhere", () => {
    expect(defaultRanks(7, 768)).toEqual({ w: 64, a: 64, v: 32, g: 128 });
    expect(defaultRanks(7, 192)).toEqual({ w: 32, a: 32, v: 32, g: 64 });
    expect(defaultRanks(6, 2048)).toEqual({ mix: 32, decay: 64 });
  });

  it("has the official shapes and values of RWKV-7", () => {
    const tensors = initialRwkv({ version: 7, layers: 2, width: 128, vocab: 40, seed: 5 });
    const at = (name: string) => tensors.get(name)!;
    expect(at("blocks.1.att.x_r").dims).toEqual([1, 1, 128]);
    expect(at("blocks.1.att.r_k").dims).toEqual([2, 64]);
    expect(tensors.has("blocks.0.att.v0")).toBe(false);
    expect(at("blocks.1.att.v0").data[127]).toBeCloseTo(0.53, 6);
    expect(at("blocks.0.att.x_w").data[32]).toBeCloseTo(1 - 0.25 ** 0.9, 6);
    expect(at("blocks.1.att.x_k").data[32]).toBeCloseTo(1 - 0.25 ** 0.35, 6);
    // First channel: zigzag is -1. Last layer: the ramp is squared.
    expect(at("blocks.1.att.w0").data[0]).toBeCloseTo(-8, 6);
    expect(at("blocks.1.att.w0").data[127]).toBeCloseTo(3, 6);
    expect(at("blocks.0.att.a0").data[0]).toBeCloseTo(-0.69, 6);
    expect(at("blocks.0.att.ln_x.weight").data[3]).toBeCloseTo(0.5 ** 0.7, 6);
    expect(at("blocks.1.ffn.x_k").data[64]).toBeCloseTo(1 - 0.5 ** 0.0625, 6);
    expect(Math.max(...at("emb.weight").data.map(Math.abs))).toBeLessThanOrEqual(1e-4);
  });

  it("has the official shapes and values of RWKV-6", () => {
    const tensors = initialRwkv({ version: 6, layers: 2, width: 128, vocab: 40, seed: 5 });
    const at = (name: string) => tensors.get(name)!;
    expect(at("blocks.1.att.time_maa_w2").dims).toEqual([5, 32, 128]);
    expect(at("blocks.0.ffn.key.weight").dims).toEqual([448, 128]);
    expect(at("blocks.1.att.time_decay").data[127]).toBeCloseTo(-1, 6);
    expect(at("blocks.1.att.time_faaaa").data[0]).toBeCloseTo(1, 6);
    expect(at("blocks.0.att.time_faaaa").data[1]).toBeCloseTo(0.1, 6);
    expect(at("blocks.1.att.time_maa_v").data[64]).toBeCloseTo(1 - (0.5 ** 0.5 + 0.3), 6);
  });

  it("depends on the seed and on nothing else", () => {
    const of = (seed: number) => initialRwkv({ version: 7, layers: 1, width: 64, vocab: 9, seed });
    expect(of(3)).toEqual(of(3));
    expect(of(3).get("head.weight")).not.toEqual(of(4).get("head.weight"));
  });

  it("refuses a width that is no multiple of a head", () => {
    expect(() => initialRwkv({ version: 7, layers: 1, width: 96, vocab: 9, seed: 1 })).toThrow("width 96");
  });
});

describe("orthogonal", () => {
  it("has orthogonal vectors of the gain's length along its shorter side", () => {
    for (const [rows, columns] of [[7, 20], [20, 7], [16, 16]] as const) {
      const data = orthogonal(rows, columns, { gain: 0.5, seed: 1, name: "m" });
      const short = Math.min(rows, columns), long = Math.max(rows, columns);
      const at = (i: number, j: number) => data[rows >= columns ? j * columns + i : i * columns + j]!;
      for (let a = 0; a < short; a++) {
        for (let b = 0; b <= a; b++) {
          let dot = 0;
          for (let j = 0; j < long; j++) dot += at(a, j) * at(b, j);
          expect(Math.abs(dot - (a === b ? 0.25 : 0))).toBeLessThan(1e-6);
        }
      }
    }
  });
});
