import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { bytesText, clockTime, countText, durationText, latencyText, relativeTime } from "./time_text.ts";

describe("durationText", () => {
  it("shows at most the two largest units", () => {
    const hour_ms = 3_600_000;
    expect([0, 999, 41_000, 60_000, 69_000, 599_000, 600_000, 3_599_000].map(durationText)).toEqual(
      ["0 s", "0 s", "41 s", "1 min", "1 min 9 s", "9 min 59 s", "10 min", "59 min"],
    );
    expect([hour_ms, 2.1 * hour_ms, 24 * hour_ms, 98 * hour_ms].map(durationText)).toEqual(
      ["1 h", "2 h 6 min", "1 d", "4 d 2 h"],
    );
  });
  it("never shows a negative time", () => expect(durationText(-5)).toBe("0 s"));
});

describe("relativeTime", () => {
  it("says now for the newest and for clocks ahead of ours", () => {
    expect(relativeTime(10_000, 11_000)).toBe("now");
    expect(relativeTime(20_000, 11_000)).toBe("now");
  });
  it("says how long ago", () => expect(relativeTime(0, 12_300)).toBe("12 s ago"));
});

describe("clockTime", () => {
  const noon_ms = new Date(2031, 2, 4, 12, 5, 9).getTime();
  it("is the time alone today", () => expect(clockTime(noon_ms, noon_ms + 1000)).toBe("12:05:09"));
  it("has the date on another day", () => {
    expect(clockTime(noon_ms, noon_ms + 86_400_000)).toBe("2031-03-04 12:05:09");
  });
});

describe("numbers as words", () => {
  it("latency", () => {
    expect([null, 4.25, 84.4, 999.4, 1234].map(latencyText)).toEqual([
      "–",
      "4.3 ms",
      "84 ms",
      "999 ms",
      "1.2 s",
    ]);
  });
  it("bytes", () => {
    expect([512, 2048, 3_407_872, 500 * 1024 * 1024].map(bytesText)).toEqual(
      ["512 B", "2.0 KiB", "3.3 MiB", "500 MiB"],
    );
  });
  it("counts", () => {
    expect([0, 999, 1000, 1_234_567].map(countText)).toEqual([
      "0",
      "999",
      "1\u202f000",
      "1\u202f234\u202f567",
    ]);
  });
});
