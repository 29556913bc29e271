import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { tableTensor } from "../../../tests/model/table_checkpoints.ts";
import type { CheckpointTensor } from "./checkpoint.ts";
import { part, renamed, scaled, transposed } from "./derived_tensor.ts";
import { encodeFloats } from "./float_encoding.ts";

async function floats(tensor: CheckpointTensor): Promise<number[]> {
  return (await Array.fromAsync(tensor.readFloats())).flatMap((piece) => [...piece]);
}

async function words(tensor: CheckpointTensor): Promise<number[]> {
  const pieces = await Array.fromAsync(tensor.readBytes());
  return pieces.flatMap((piece) => [...new Uint16Array(piece.buffer, piece.byteOffset, piece.length / 2)]);
}

describe("a derived tensor", () => {
  it("has another name and shape, and the same elements", async () => {
    const tensor = renamed(tableTensor("a", [4]), "b", [1, 1, 4]);
    expect([tensor.name, tensor.shape]).toEqual(["b", [1, 1, 4]]);
    expect(await floats(tensor)).toEqual([0, 1, 2, 3]);
  });

  it("is turned round matrix by matrix, as numbers and as bits", async () => {
    const turned = transposed(tableTensor("a", [2, 2, 3], "bf16"), "a");
    expect(turned.shape).toEqual([2, 3, 2]);
    const wanted = [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11];
    expect(await floats(turned)).toEqual(wanted);
    expect(await words(turned)).toEqual(wanted);
    expect(await floats(transposed(turned, "a"))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it("is one part of a stack", async () => {
    const row = part(tableTensor("a", [3, 1, 2], "bf16"), "b", 1, 3, [1, 1, 2]);
    expect([row.name, row.shape, row.elements, row.stored_bytes]).toEqual(["b", [1, 1, 2], 2, 4]);
    expect([await floats(row), await words(row)]).toEqual([[2, 3], [2, 3]]);
  });

  it("is scaled in the type it has", async () => {
    const doubled = scaled(tableTensor("a", [3], "bf16"), "a", 2);
    expect(await floats(doubled)).toEqual([0, 2, 4]);
    expect(await words(doubled)).toEqual([0, 0x4000, 0x4080]);
  });

  it("is not turned round when it is too large to hold", async () => {
    const huge = { ...tableTensor("a", [1, 1]), shape: [1 << 14, 1 << 14], elements: 2 ** 28 };
    await expect(floats(transposed(huge, "a"))).rejects.toThrow("too many to turn round");
  });
});

describe("encodeFloats()", () => {
  const bits = (values: number[], type: "f16" | "bf16") => [
    ...new Uint16Array(encodeFloats(Float32Array.from(values), type).buffer),
  ];

  it("rounds to the nearest, ties to even", () => {
    expect(bits([1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, -2, Infinity], "bf16")).toEqual([
      0x3f80,
      0x3f80,
      0x3f82,
      0xc000,
      0x7f80,
    ]);
    expect(bits([1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 65_504, 1e6, 6e-8], "f16")).toEqual([
      0x3c00,
      0x3c00,
      0x3c02,
      0x7bff,
      0x7c00,
      1,
    ]);
  });

  it("leaves a NaN one, and float32 alone", () => {
    const nan = new Float32Array(Uint32Array.of(0x7fffffff).buffer);
    const [bf16] = new Uint16Array(encodeFloats(nan, "bf16").buffer);
    expect([bf16! & 0x7f80, (bf16! & 0x7f) !== 0]).toEqual([0x7f80, true]);
    const floats = Float32Array.of(1, 2).subarray(1);
    expect(encodeFloats(floats, "f32")).toEqual(new Uint8Array(Float32Array.of(2).buffer));
  });

  it("gives back what a type holds exactly", () => {
    const every = Uint16Array.from({ length: 0x7c00 }, (_, index) => index);
    const halves = new Float16Array(every.buffer);
    expect(encodeFloats(Float32Array.from(halves), "f16")).toEqual(new Uint8Array(every.buffer));
    const wide = new Float32Array(Uint32Array.from(every, (value) => value << 16).buffer);
    expect(encodeFloats(wide, "bf16")).toEqual(new Uint8Array(every.buffer));
  });
});
