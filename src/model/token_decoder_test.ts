import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { StreamDecoder, unfinishedTail } from "./token_decoder.ts";

const whole = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/** Decodes in pieces that end at the given positions. */
function inPieces(bytes: Uint8Array, cuts: readonly number[]): string {
  const decoder = new StreamDecoder(() => new Uint8Array(0));
  const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
  let text = "";
  let from = 0;
  for (const end of ends) {
    text += decoder.pushBytes(bytes.subarray(from, end));
    from = end;
  }
  return text + decoder.end();
}

describe("StreamDecoder", () => {
  it("holds back a code point until it is whole", () => {
    const decoder = new StreamDecoder((token) => Uint8Array.of(token));
    expect([0xf0, 0x9f, 0x99, 0x82].map((byte) => decoder.push(byte))).toEqual(["", "", "", "🙂"]);
    expect(decoder.end()).toBe("");
  });

  it("turns what is left at the end into U+FFFD and starts anew", () => {
    const decoder = new StreamDecoder((token) => Uint8Array.of(token));
    expect(decoder.push(0xe4) + decoder.push(0xbb)).toBe("");
    expect(decoder.end()).toBe("\ufffd");
    expect(decoder.push(0x41)).toBe("A");
  });

  it("does not wait for what can never become a code point", () => {
    const decoder = new StreamDecoder((token) => Uint8Array.of(token));
    expect(decoder.push(0xff)).toBe("\ufffd");
    expect(decoder.push(0xe0)).toBe("");
    expect(decoder.push(0x80)).toBe("\ufffd\ufffd");
    expect(unfinishedTail(Uint8Array.of(0xed, 0xa0))).toBe(0);
    expect(unfinishedTail(Uint8Array.of(0xf4, 0x8f, 0xbf))).toBe(3);
    expect(unfinishedTail(Uint8Array.of(0xc1))).toBe(0);
  });

  it("keeps a byte order mark", () => {
    expect(inPieces(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41), [1, 2])).toBe("\ufeffA");
  });

  it("gives the text of the whole for any split of any text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), fc.array(fc.nat(80)), (text, cuts) => {
      expect(inPieces(new TextEncoder().encode(text), cuts)).toBe(text);
    }));
  });

  it("gives the text of the whole for any split of any bytes", () => {
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xa0, 0x90));
    const bytes = fc.array(byte, { maxLength: 40 }).map((list) => Uint8Array.from(list));
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(40)), (data, cuts) => {
        expect(inPieces(data, cuts)).toBe(whole(data));
      }),
      { numRuns: 2000 },
    );
  });
});
