import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { randomBf16 } from "./random_bytes.ts";

async function values(spec: Parameters<typeof randomBf16>[0], number: number): Promise<Float32Array> {
  const bytes: number[] = [];
  for await (const piece of randomBf16(spec, number)) for (const byte of piece) bytes.push(byte);
  const out = new Float32Array(bytes.length / 2);
  const view = new DataView(out.buffer);
  for (let i = 0; i < out.length; i++) {
    view.setUint32(4 * i, (bytes[2 * i]! | (bytes[2 * i + 1]! << 8)) << 16, true);
  }
  return out;
}

describe("random weights", () => {
  it("have the size, the middle and the spread that was asked for", async () => {
    const data = await values({ name: "a", shape: [300, 70], offset: 2, spread: 0.5 }, 3);
    expect(data.length).toBe(21_000);
    expect(data.reduce((sum, value) => sum + value, 0) / data.length).toBeCloseTo(2, 1);
    expect(Math.min(...data)).toBeGreaterThan(1.48);
    expect(Math.max(...data)).toBeLessThan(2.52);
    expect(Math.max(...data) - Math.min(...data)).toBeGreaterThan(0.95);
  });

  it("differ between tensors and are the same every time", async () => {
    const spec = { name: "a", shape: [64], offset: 0, spread: 1 };
    expect(await values(spec, 1)).toEqual(await values(spec, 1));
    expect(await values(spec, 1)).not.toEqual(await values(spec, 2));
  });
});
