import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { changeSource } from "./source_change.ts";
import type { SourceSettings } from "./surface.ts";

const redact = (settings: SourceSettings): SourceSettings =>
  settings.kind === "push" ? settings : { ...settings, url: settings.url.replace(/\/\/.*@/, "//***@") };
const stored: SourceSettings = { kind: "pull", url: "rtsp://me:secret@cam/1", transport: "udp", loop: true };

describe("changeSource", () => {
  it("keeps the address and its secrets when it is given as it is shown", () => {
    const given = { kind: "pull", url: "rtsp://***@cam/1", loop: false } as const;
    expect(changeSource(stored, given, redact)).toEqual({ ...stored, loop: false });
    expect(changeSource(stored, { ...given, transport: "tcp" }, redact)).toEqual({
      ...stored,
      loop: false,
      transport: "tcp",
    });
  });

  it("takes a new address, and keeps what was not said", () => {
    const given = { kind: "pull", url: "rtsp://me:other@cam/2", loop: undefined } as const;
    expect(changeSource(stored, given, redact)).toEqual({ ...stored, url: "rtsp://me:other@cam/2" });
  });

  it("never puts a secret into another address", () => {
    for (const url of ["rtsp://***@cam/2", "rtsp://***@evil/1", "rtsp://cam/1"]) {
      expect(changeSource(stored, { kind: "pull", url }, redact)).toMatchObject({ url });
    }
  });

  it("changes the kind as it is told", () => {
    expect(changeSource(stored, { kind: "push" }, redact)).toEqual({ kind: "push" });
    expect(changeSource({ kind: "push" }, stored, redact)).toEqual(stored);
  });
});
