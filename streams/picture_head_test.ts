import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { exifOrientation } from "./exif_orientation.ts";
import { readPictureHead } from "./picture_head.ts";

const bytes = (...parts: (string | number[])[]) =>
  Uint8Array.from(
    parts.flatMap((part) => typeof part === "string" ? [...part].map((c) => c.charCodeAt(0)) : part),
  );

/** A JPEG's first segments: EXIF with an orientation, and a frame of 3 x 2. */
function makeJpeg(orientation: number, order: "II" | "MM" = "MM"): Uint8Array {
  const two = (value: number) => order === "MM" ? [value >> 8, value & 255] : [value & 255, value >> 8];
  const four = (value: number) => order === "MM" ? [0, 0, ...two(value)] : [...two(value), 0, 0];
  const tiff = [
    ...bytes(order),
    ...two(42),
    ...four(8),
    ...two(2),
    ...[...two(0x010f), ...two(2), ...four(1), ...four(0)],
    ...[...two(0x0112), ...two(3), ...four(1), ...two(orientation), 0, 0],
    ...four(0),
  ];
  return bytes(
    [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2],
    [0xff, 0xe1, 0, tiff.length + 8],
    "Exif\0\0",
    tiff,
    [0xff, 0xc0, 0, 11, 8, 0, 2, 0, 3, 1, 1, 0x11, 0],
  );
}

describe("readPictureHead()", () => {
  const heads: [string, Uint8Array, object][] = [
    ["jpeg", makeJpeg(1), { kind: "jpeg", width_px: 3, height_px: 2 }],
    ["png", bytes("\x89PNG\r\n\x1a\n", [0, 0, 0, 13], "IHDR", [0, 0, 1, 0, 0, 0, 0, 2]), {
      kind: "png",
      width_px: 256,
      height_px: 2,
    }],
    ["gif", bytes("GIF89a", [0, 1, 2, 0]), { kind: "gif", width_px: 256, height_px: 2 }],
    ["bmp", bytes("BM", Array(12).fill(0), [40, 0, 0, 0, 5, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]), {
      kind: "bmp",
      width_px: 5,
      height_px: 2,
    }],
    ["old bmp", bytes("BM", Array(12).fill(0), [12, 0, 0, 0, 5, 0, 2, 0, 1, 0, 8, 0]), {
      kind: "bmp",
      width_px: 5,
      height_px: 2,
    }],
    [
      "lossy webp",
      bytes("RIFF", [0, 0, 0, 0], "WEBPVP8 ", [0, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0x2a, 5, 0x40, 2, 0x80]),
      {
        kind: "webp",
        width_px: 5,
        height_px: 2,
      },
    ],
    [
      "lossless webp",
      bytes("RIFF", [0, 0, 0, 0], "WEBPVP8L", [0, 0, 0, 0, 0x2f, 4, 0x40, 0, 0, 0, 0, 0, 0, 0]),
      {
        kind: "webp",
        width_px: 5,
        height_px: 2,
      },
    ],
    [
      "extended webp",
      bytes("RIFF", [0, 0, 0, 0], "WEBPVP8X", [10, 0, 0, 0, 0x10, 0, 0, 0, 4, 0, 0, 1, 0, 0]),
      {
        kind: "webp",
        width_px: 5,
        height_px: 2,
      },
    ],
  ];
  for (const [name, file, head] of heads) {
    it(`reads kind and size of a ${name}`, () => expect(readPictureHead(file)).toEqual(head));
  }

  const problems: [string, Uint8Array, string][] = [
    ["nothing", bytes(), "it is empty"],
    ["text", bytes("hello, world"), "it is no JPEG, PNG, WebP, GIF or BMP"],
    ["HEIC", bytes([0, 0, 0, 24], "ftypheic"), "it is HEIC or AVIF; JPEG"],
    ["SVG", bytes("  <svg xmlns="), "it is SVG; JPEG"],
    ["TIFF", bytes("II*\0"), "it is TIFF"],
    ["a PNG of no size", bytes("\x89PNG\r\n\x1a\n", [0, 0, 0, 13], "IHDR", Array(8).fill(0)), "has no size"],
    [
      "a moving WebP",
      bytes("RIFF", [0, 0, 0, 0], "WEBPVP8X", [10, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 1, 0, 0]),
      "animated WebP",
    ],
  ];
  for (const [name, file, words] of problems) {
    it(`says what is wrong with ${name}`, () => {
      expect(readPictureHead(file)).toEqual({ problem: expect.stringContaining(words) });
    });
  }

  it("never throws, and never gives a size that is none, whatever the bytes", () => {
    const tails = fc.uint8Array({ maxLength: 64 });
    const magics = fc.constantFrom(
      ...heads.map(([, file]) => file.subarray(0, 16)),
      bytes([0xff, 0xd8]),
      bytes(),
    );
    const cuts = fc.nat(16);
    fc.assert(
      fc.property(magics, cuts, tails, (magic, cut, tail) => {
        const head = readPictureHead(Uint8Array.of(...magic.subarray(0, cut), ...tail));
        if (!("problem" in head)) expect([head.width_px > 0, head.height_px > 0]).toEqual([true, true]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("exifOrientation()", () => {
  it("reads it in both byte orders, wherever the bytes lie", () => {
    for (const order of ["II", "MM"] as const) {
      for (let orientation = 1; orientation <= 8; orientation++) {
        const jpeg = makeJpeg(orientation, order);
        expect(exifOrientation(jpeg)).toBe(orientation);
        const within = new Uint8Array(jpeg.length + 7);
        within.set(jpeg, 5);
        expect(exifOrientation(within.subarray(5, 5 + jpeg.length))).toBe(orientation);
      }
    }
  });

  it("is 1 for what says nothing, and never throws", () => {
    for (const jpeg of [bytes(), bytes([0xff, 0xd8]), makeJpeg(9), makeJpeg(0)]) {
      expect(exifOrientation(jpeg)).toBe(1);
    }
    const jpeg = makeJpeg(6);
    fc.assert(
      fc.property(fc.nat(jpeg.length), fc.nat(jpeg.length - 1), fc.nat(255), (length, at, value) => {
        const bent = jpeg.slice();
        bent[at] = value;
        const orientation = exifOrientation(bent.subarray(0, length));
        expect(orientation >= 1 && orientation <= 8).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });
});
