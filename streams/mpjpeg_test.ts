import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { mpjpegPart, MpjpegParts, MultipartError } from "./mpjpeg.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("MpjpegParts", () => {
  it("reads what mpjpegPart writes, however it is cut", () => {
    fc.assert(fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 50 }),
      (pictures, cut) => {
        const stream = pictures.flatMap((picture) => [...mpjpegPart(picture)]);
        const parts = new MpjpegParts();
        const read: Uint8Array[] = [];
        for (let at = 0; at < stream.length; at += cut) {
          read.push(...parts.push(new Uint8Array(stream.slice(at, at + cut))));
        }
        expect(read.map((part) => [...part])).toEqual(pictures.map((picture) => [...picture]));
      },
    ));
  });

  it("refuses parts without a length, too long, or with an endless head", () => {
    const refused = [
      "--x\r\nContent-Type: image/jpeg\r\n\r\n",
      "--x\r\nContent-Length: 999999999\r\n\r\n",
      "--x\r\nContent-Length: -1\r\n\r\n",
      "x".repeat(2_000),
    ];
    for (const text of refused) {
      expect(() => [...new MpjpegParts().push(bytes(text))]).toThrow(MultipartError);
    }
    expect(() => [...new MpjpegParts(10).push(bytes("--x\r\nContent-Length: 11\r\n\r\n"))]).toThrow(
      MultipartError,
    );
  });
});
