import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { jpegSampling, planeBytes, toRgb, turnOf } from "./jpeg_colours.ts";

/** A JPEG's head: an Adobe marker, if any, and the frame with its sampling factors. */
function makeHead(
  factors: number[],
  { adobe, ids = [1, 2, 3], bits = 8 }: { adobe?: number; ids?: number[]; bits?: number } = {},
): Uint8Array {
  const marker = adobe === undefined
    ? []
    : [0xff, 0xee, 0, 14, ...new TextEncoder().encode("Adobe"), 0, 100, 0, 0, 0, 0, adobe];
  const components = factors.flatMap((factor, index) => [ids[index]!, factor, 0]);
  const frame = [bits, 0, 16, 0, 16, factors.length, ...components];
  return Uint8Array.of(0xff, 0xd8, ...marker, 0xff, 0xc0, 0, frame.length + 2, ...frame, 0xff, 0xda);
}

describe("jpegSampling()", () => {
  it("reads how many luma samples share a colour", () => {
    expect(jpegSampling(makeHead([0x11, 0x11, 0x11]))).toEqual({ across: 1, down: 1 });
    expect(jpegSampling(makeHead([0x21, 0x11, 0x11]))).toEqual({ across: 2, down: 1 });
    expect(jpegSampling(makeHead([0x22, 0x11, 0x11], { adobe: 1 }))).toEqual({ across: 2, down: 2 });
  });

  it("leaves to others what has no planes of that kind", () => {
    const rgb = [82, 71, 66];
    for (
      const head of [
        makeHead([0x11]),
        makeHead([0x11, 0x11, 0x11, 0x11]),
        makeHead([0x11, 0x11, 0x11], { adobe: 0 }),
        makeHead([0x11, 0x11, 0x11], { ids: rgb }),
        makeHead([0x41, 0x11, 0x11]),
        makeHead([0x22, 0x21, 0x21]),
        makeHead([0x22, 0x11, 0x11], { bits: 12 }),
        new Uint8Array(),
      ]
    ) expect(jpegSampling(head)).toBe(undefined);
  });

  it("never throws, whatever the bytes", () => {
    const head = makeHead([0x22, 0x11, 0x11], { adobe: 1 });
    fc.assert(fc.property(fc.nat(head.length), fc.nat(head.length - 1), fc.nat(255), (length, at, value) => {
      const bent = head.slice();
      bent[at] = value;
      jpegSampling(bent.subarray(0, length));
    }));
  });
});

describe("toRgb()", () => {
  const upright = (width_px: number, height_px: number) => turnOf(1, width_px, height_px);

  it("is the fixed-point conversion of libjpeg", async () => {
    const pixels: [number[], number[]][] = [
      [[0, 128, 128], [0, 0, 0]],
      [[255, 128, 128], [255, 255, 255]],
      [[76, 85, 255], [254, 0, 0]],
      [[100, 90, 200], [201, 62, 33]],
      [[255, 255, 255], [255, 121, 255]],
    ];
    for (const [ycc, rgb] of pixels) {
      const planes = {
        across: 1,
        down: 1,
        width_px: 1,
        height_px: 1,
        bytes: Uint8Array.from(ycc),
      } as const;
      expect([...await toRgb(planes, upright(1, 1))]).toEqual(rgb);
    }
  });

  it("gives a colour three parts of itself and one of its neighbour", async () => {
    // Grey luma; red differs in the third of three columns only, blue never: green and blue tell nothing more.
    const luma = Array(10).fill(100), blue = [128, 128, 128];
    const bytes = Uint8Array.from([...luma, ...blue, 128, 128, 228]);
    const planes = { across: 2, down: 2, width_px: 5, height_px: 2, bytes } as const;
    expect(planeBytes(planes)).toBe(bytes.length);
    const rgb = await toRgb(planes, upright(5, 2));
    const reds = [0, 1, 2, 3, 4].map((x) => rgb[3 * x]);
    // 128, 128, 128, (3 * 128 + 228) / 4 = 153, (3 * 228 + 128) / 4 = 203, each less 128, times 1.402.
    expect(reds).toEqual([100, 100, 100, 100 + Math.round(25 * 1.402), 100 + Math.round(75 * 1.402)]);
    expect([...rgb.subarray(15)]).toEqual([...rgb.subarray(0, 15)]);
  });

  it("turns pixels as EXIF numbers it", async () => {
    // Three columns, two rows: 0 1 2 / 3 4 5, as luma.
    const bytes = Uint8Array.from([0, 1, 2, 3, 4, 5, ...Array(12).fill(128)]);
    const upright_pixels: Record<number, number[]> = {
      1: [0, 1, 2, 3, 4, 5],
      2: [2, 1, 0, 5, 4, 3],
      3: [5, 4, 3, 2, 1, 0],
      4: [3, 4, 5, 0, 1, 2],
      5: [0, 3, 1, 4, 2, 5],
      6: [3, 0, 4, 1, 5, 2],
      7: [5, 2, 4, 1, 3, 0],
      8: [2, 5, 1, 4, 0, 3],
    };
    for (const [orientation, expected] of Object.entries(upright_pixels)) {
      const planes = { across: 1, down: 1, width_px: 3, height_px: 2, bytes } as const;
      const rgb = await toRgb(planes, turnOf(Number(orientation), 3, 2));
      expect([orientation, ...rgb.filter((_, at) => at % 3 === 0)]).toEqual([orientation, ...expected]);
    }
  });
});
