import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { wire_limits } from "./limits.ts";
import { encodePush, parsePush, push_header_bytes } from "./push_header.ts";

const message = () => {
  const header = {
    codec: "h264",
    key_frame: true,
    width_px: 640,
    height_px: 360,
    t_media_us: 1_234_567n,
    sequence: 7,
  } as const;
  return encodePush(header, new Uint8Array([1, 2, 3]));
};

describe("the push header", () => {
  it("is these bytes", () => {
    expect([...message()].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")).toBe(
      "47 4e 44 52 01 02 01 00 80 02 68 01 00 00 00 00 87 d6 12 00 00 00 00 00 07 00 00 00 03 00 00 00 01 02 03",
    );
  });

  it("comes back as it went in", () => {
    const headers = fc.record({
      codec: fc.constantFrom("jpeg" as const, "h264" as const, "webm" as const),
      key_frame: fc.boolean(),
      width_px: fc.integer({ min: 0, max: 65_535 }),
      height_px: fc.integer({ min: 0, max: 65_535 }),
      t_media_us: fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) }),
      sequence: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    });
    fc.assert(fc.property(headers, fc.uint8Array({ minLength: 1, maxLength: 50 }), (header, payload) => {
      const parsed = parsePush(encodePush(header, payload));
      if (typeof parsed === "string") throw new Error(parsed);
      expect(parsed.header).toEqual(header);
      expect([...parsed.payload]).toEqual([...payload]);
    }));
  });

  it("refuses what is not one", () => {
    for (const [at, byte] of [[0, 0], [4, 2], [5, 0], [5, 4], [12, 1], [23, 0xff], [28, 4]]) {
      const broken = message();
      broken[at] = byte;
      expect([at, parsePush(broken)]).toEqual([at, expect.any(String)]);
    }
    const { header } = parsePush(message()) as Exclude<ReturnType<typeof parsePush>, string>;
    const largest = new Uint8Array(wire_limits.push_payload_bytes_max);
    expect(parsePush(encodePush(header, largest))).toMatchObject({ header });
    expect(parsePush(encodePush(header, new Uint8Array(largest.length + 1)))).toContain("too large");
    expect(parsePush(message().subarray(0, push_header_bytes - 1))).toEqual(expect.any(String));
    expect(parsePush(message().subarray(0, push_header_bytes))).toEqual(expect.any(String));
  });
});
