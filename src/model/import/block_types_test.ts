import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { block_layouts, decodeBlocks } from "./block_types.ts";

/** float16 1.0, 0.5 and -2.0, little-endian. */
const one = [0x00, 0x3c];
const half = [0x00, 0x38];
const minus_two = [0x00, 0xc0];
const fill = (count: number, byte: number) => new Array<number>(count).fill(byte);

describe("decodeBlocks", () => {
  it("decodes blocks of 32 that were worked out by hand", () => {
    // Low halves are the first sixteen numbers, high halves the others; the middle of 4 bits is 8.
    const q4_0 = decodeBlocks("q4_0", Uint8Array.of(...half, 0xf0, ...fill(15, 0x88)));
    expect([...q4_0]).toEqual([-4, ...fill(15, 0), 3.5, ...fill(15, 0)]);
    const q4_1 = decodeBlocks("q4_1", Uint8Array.of(...half, ...minus_two, 0x31, ...fill(15, 0)));
    expect([...q4_1]).toEqual([-1.5, ...fill(15, -2), -0.5, ...fill(15, -2)]);
    // Fifth bits: number 0 and number 31.
    const q5_0 = decodeBlocks("q5_0", Uint8Array.of(...one, 1, 0, 0, 0x80, ...fill(16, 0)));
    expect([...q5_0]).toEqual([0, ...fill(30, -16), 0]);
    const q5_1 = decodeBlocks("q5_1", Uint8Array.of(...half, ...one, 0, 0, 1, 0, 0x20, ...fill(15, 0)));
    expect([...q5_1]).toEqual([...fill(16, 1), 10, ...fill(15, 1)]);
    const q8_0 = decodeBlocks("q8_0", Uint8Array.of(...half, 0x80, 0x7f, 0xff, ...fill(29, 2)));
    expect([...q8_0]).toEqual([-64, 63.5, -0.5, ...fill(29, 1)]);
  });

  it("decodes k-quant blocks that were worked out by hand", () => {
    // All 2-bit numbers 1; scale 3 and least value 2 in every group.
    const q2 = decodeBlocks("q2_k", Uint8Array.of(...fill(16, 0x23), ...fill(64, 0x55), ...one, ...half));
    expect([...q2]).toEqual(fill(256, 3 - 1));
    // Scales of 6 bits: 0b100001 = 33, less 32; lower bits 2, third bit set only in the first 32 numbers.
    const scales = [...fill(8, 0x11), ...fill(4, 0b10101010)];
    const q3 = decodeBlocks("q3_k", Uint8Array.of(...fill(32, 1), ...fill(64, 0xaa), ...scales, ...half));
    expect([...q3]).toEqual([...fill(32, 1), ...fill(224, -1)]);
    // Scale 1 and least value 2 in groups 0 to 3; in 4 to 7 with upper bits 1 and 2: 16 + 1 and 32 + 2.
    const k6 = [...fill(4, 0x41), ...fill(4, 0x82), ...fill(4, 0x21)];
    const q4 = decodeBlocks("q4_k", Uint8Array.of(...one, ...one, ...k6, ...fill(128, 0x53)));
    const group = (
      scale: number,
      least: number,
      low: number,
      high: number,
    ) => [...fill(32, scale * low - least), ...fill(32, scale * high - least)];
    const q4_want = [1, 1].flatMap(() => group(1, 2, 3, 5)).concat([1, 1].flatMap(() => group(17, 34, 3, 5)));
    expect([...q4]).toEqual(q4_want);
    // The same with the fifth bit of group 7.
    const q5 = decodeBlocks(
      "q5_k",
      Uint8Array.of(...one, ...one, ...k6, ...fill(32, 0x80), ...fill(128, 0x53)),
    );
    expect([...q5]).toEqual([...q4_want.slice(0, 224), ...fill(32, 17 * 21 - 34)]);
    // Low halves 1 and 2, upper bits 0, 1, 2, 3 of the four quarters; scale -1.
    const q6 = decodeBlocks(
      "q6_k",
      Uint8Array.of(...fill(128, 0x21), ...fill(64, 0b11100100), ...fill(16, 0xff), ...half),
    );
    const quarters = [32 - 1, 32 - 17, 32 - 34, 32 - 50].flatMap((value) => fill(32, value / 2));
    expect([...q6]).toEqual([...quarters, ...quarters]);
  });

  it("takes whole blocks only, and a piece is made of whole blocks of every type", () => {
    expect(() => decodeBlocks("q8_0", new Uint8Array(33))).toThrow(RangeError);
    for (const { block_elements } of Object.values(block_layouts)) expect((1 << 18) % block_elements).toBe(0);
  });
});
