import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { sampleStream } from "./dev/samples.ts";
import {
  examples,
  firstProblem,
  formOf,
  kindOf,
  nameOf,
  patchOf,
  sourceOf,
  specOf,
} from "./stream_fields.ts";

const empty = formOf(undefined);

describe("stream fields", () => {
  it("know the kind of every example", () => {
    expect(examples.map(({ url }) => kindOf(url))).toEqual(["rtsp", "http", "http", "file", "testsrc"]);
  });
  it("send only the settings that fit the kind", () => {
    const fields = { ...empty, transport: "udp" as const, loop: true };
    expect(sourceOf({ ...fields, url: " rtsp://cam/1 " })).toEqual({
      kind: "pull",
      url: "rtsp://cam/1",
      transport: "udp",
    });
    expect(sourceOf({ ...fields, url: "/film.mp4" })).toEqual({ kind: "pull", url: "/film.mp4", loop: true });
  });
  it("find a name for those who give none", () => {
    const names = ["rtsp://u:p@door.local/1", "/films/yard.mp4", "testsrc:", "https://a.example/x.m3u8"];
    expect(names.map((url) => nameOf({ ...empty, url }))).toEqual([
      "door.local",
      "yard.mp4",
      "Test pattern",
      "a.example",
    ]);
  });
  it("leave defaults to the server", () => {
    expect(specOf({ ...empty, url: "testsrc:" })).toEqual({
      name: "Test pattern",
      source: { kind: "pull", url: "testsrc:" },
    });
  });
  it("patch only what was changed", () => {
    const stream = sampleStream({ name: "Door" });
    const fields = formOf(stream);
    expect(patchOf(fields, stream)).toEqual({});
    expect(patchOf({ ...fields, name: "Gate", tick_rate_hz: "4" }, stream)).toEqual({
      name: "Gate",
      tick_rate_hz: 4,
    });
    expect(patchOf({ ...fields, gate_change: false }, stream).gates).toEqual({
      change: false,
      novelty: true,
    });
  });
  it("patch how a source is read without its address being typed again", () => {
    const pull = { kind: "pull", url: "rtsp://***@cam/1", transport: "udp" } as const;
    const camera = sampleStream({ source: pull });
    expect(patchOf({ ...formOf(camera), transport: "tcp" }, camera)).toEqual({
      source: { ...pull, transport: "tcp" },
    });
    const film = sampleStream({ source: { kind: "pull", url: "/film.mp4", loop: true } });
    expect(patchOf({ ...formOf(film), loop: false }, film).source).toMatchObject({ loop: false });
    expect(patchOf({ ...formOf(film), url: "" }, film)).toEqual({});
    expect(patchOf({ ...formOf(film), url: "/other.mp4" }, film)).toEqual({
      source: { kind: "pull", url: "/other.mp4", loop: true },
    });
    const pushed = sampleStream({ source: { kind: "push" } });
    expect(patchOf(formOf(pushed), pushed)).toEqual({});
  });
  it("send what a model of single pictures is told, and nothing of it to another", () => {
    const refresh = {
      ...{ instruction: "What happens?", language: "en", cadence_s: 4, every_s: 30, change_min: 0.02 },
    };
    const stream = sampleStream({ refresh });
    const fields = formOf(stream);
    expect(patchOf(fields, stream)).toEqual({});
    expect(patchOf({ ...fields, cadence_s: "", instruction: " " }, stream)).toEqual({});
    const patch = patchOf({ ...fields, cadence_s: "2.5", language: " de" }, stream);
    expect(patch).toEqual({ refresh: { language: "de", cadence_s: 2.5 } });
    expect(specOf({ ...empty, url: "testsrc:", every_s: "60" })).toMatchObject({ refresh: { every_s: 60 } });
    expect(specOf({ ...empty, url: "testsrc:" })).not.toHaveProperty("refresh");
    expect(firstProblem({ ...fields, language: "German, please" }, stream)).toMatch(/^The language: /);
    expect(firstProblem({ ...fields, every_s: "0" }, stream)).toMatch(/^Seconds of a still picture: /);
  });
  it("ask for the password again when the address around it changes", () => {
    const camera = sampleStream({ source: { kind: "pull", url: "rtsp://***@cam/1" } });
    expect(firstProblem(formOf(camera), camera)).toBe(undefined);
    expect(firstProblem({ ...formOf(camera), url: "rtsp://***@cam/2" }, camera)).toContain("type it whole");
    expect(firstProblem({ ...formOf(camera), url: "rtsp://me:you@cam/2" }, camera)).toBe(undefined);
  });
  it("say what the wire would refuse", () => {
    expect(firstProblem(empty, undefined)).toBe("Enter an address.");
    expect(firstProblem({ ...empty, url: "testsrc:", tick_rate_hz: "50" }, undefined)).toContain(
      "Ticks per second",
    );
    expect(firstProblem({ ...formOf(sampleStream()), name: " " }, sampleStream())).toContain("The name");
    expect(firstProblem({ ...empty, url: "testsrc:" }, undefined)).toBe(undefined);
  });
});
