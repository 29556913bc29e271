// What everybody is told, and in what order; and how a house opens with the streams it had.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { limits } from "../../src/pipeline/limits.ts";
import type { StreamEvent } from "../../src/pipeline/surface.ts";
import { ManualClock, settle } from "./manual_clock.ts";
import { MemoryStore } from "./memory_store.ts";
import { cam, camera, open } from "./pipeline_cameras.ts";
import { captionsOf, makeHouse, openCam, shutDown, SlowEngine } from "./pipeline_fixture.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

describe("opening", () => {
  it("brings back every stored stream, and goes on without those it cannot open", async () => {
    const house = await open();
    await house.service.add(cam);
    await house.service.add({ id: "other", name: "Other", source: { kind: "pull", url: "other" } });
    await house.service.add({ id: "third", name: "Third", source: { kind: "push" } });
    const { clock, store } = house;
    await shutDown(house);
    const again = await open({ clock, store, engine: new SlowEngine(clock, 0, 1), streams_max: 2 });
    expect(again.service.ready).toBe(true);
    expect(again.service.list().map(({ id }) => id)).toEqual(["cam"]);
    expect(again.complaints).toEqual([
      expect.stringContaining("stream not opened"),
      expect.stringContaining("stream not opened"),
    ]);
    // They are stored still, and nobody may take their name and with it their memory.
    await expect(again.service.add({ id: "third", name: "New", source: { kind: "push" } })).rejects
      .toMatchObject({ code: "stream_exists" });
    expect(store.loadStreams().length).toBe(3);
    await shutDown(again);
  });

  it("with play: false they stand still until they are told", async () => {
    const house = await open();
    await house.service.add(cam);
    await house.clock.advance(2_000);
    const { clock, store } = house;
    await shutDown(house);
    const again = makeHouse({ clock, store, pulls: { cam: camera(clock) } });
    await again.service.open({ play: false });
    await clock.advance(5_000);
    expect(again.service.get("cam").stats.frames_offered).toBe(0);
    await again.service.resume("cam");
    await clock.advance(5_000);
    expect(again.service.get("cam").stats.ticks).toBeGreaterThan(5);
    await shutDown(again);
  });
});

describe("events", () => {
  it("of a tick: the text as it grows, then the caption, then the next tick", async () => {
    const house = await open();
    await house.service.add(cam);
    await house.clock.advance(20_000);
    let tick = 0;
    let text: string | undefined;
    const finals = [];
    for (const event of house.events) {
      if (event.type === "caption.delta") {
        expect(event.tick).toBeGreaterThanOrEqual(tick);
        if (event.tick === tick) expect(event.text.startsWith(text!)).toBe(true);
        [tick, text] = [event.tick, event.text];
      }
      if (event.type === "caption.final") {
        expect([event.caption.tick, event.caption.text]).toEqual([tick, text]);
        finals.push(event.caption);
      }
    }
    expect(finals).toEqual(captionsOf(house));
    expect(finals.length).toBeGreaterThan(5);
    await shutDown(house);
  });

  it("numbers every second, and drops when they changed", async () => {
    const house = await open();
    const { service, clock, engine, events } = house;
    await service.add(cam);
    service.countViewers("cam", 1);
    await clock.advance(5_000);
    events.length = 0;
    await service.pause("cam");
    await clock.advance(3 * limits.stats_every_ms);
    const types = events.filter(({ type }) => type === "stats" || type === "drop.report").map(({ type }) =>
      type
    );
    expect(types.filter((type) => type === "stats").length).toBe(3);
    expect(types.filter((type) => type === "drop.report").length).toBeLessThanOrEqual(1);
    events.length = 0;
    await service.resume("cam");
    engine.step_ms = 400;
    await clock.advance(4_000);
    const report = events.findLast((event) => event.type === "drop.report")!;
    // A frame may have been dropped after the last report of the four seconds.
    const { mailbox } = service.get("cam").stats.drops;
    expect(report.stream).toBe("cam");
    expect(report.drops.mailbox).toBeGreaterThan(0);
    expect(mailbox - report.drops.mailbox).toBeLessThanOrEqual(1);
    const stats = events.findLast((event) => event.type === "stats");
    expect(stats).toMatchObject({ stream: "cam", stats: { viewers: 1, memory_age_ms: expect.any(Number) } });
    service.countViewers("cam", -1);
    service.countViewers("gone", -1);
    expect(service.get("cam").stats.viewers).toBe(0);
    await shutDown(house);
  });

  it("words that became no caption are withdrawn", async () => {
    const clock = new ManualClock();
    // Every caption says the same: the first is published, the rest are repeats that were already seen growing.
    const decoder = () => ({ push: () => "again ", end: () => "" });
    const source = new ScriptedSource({ clock, replayable: false });
    const house = await openCam(() => source, {
      clock,
      pace: "live",
      gates: { change: false, novelty: true },
      language: { decoder, speak_threshold: 0, caption_tokens_max: 1 },
    });
    await clock.advance(4_000);
    const shown = house.events.flatMap((event) =>
      event.type === "caption.delta" ? [event.text] : event.type === "caption.final" ? ["final"] : []
    );
    expect(shown.slice(0, 6)).toEqual(["again", "final", "again", "", "again", ""]);
    expect(shown.filter((text) => text === "final").length).toBe(1);
    await shutDown(house);
  });

  it("pictures for people are told and kept", async () => {
    const clock = new ManualClock();
    const source = new ScriptedSource({ clock, replayable: false });
    const house = await openCam(() => source, { clock, pace: "live" });
    await clock.advance(2_000);
    expect(house.service.picture("cam")).toBeUndefined();
    const jpeg = new Uint8Array([0xff, 0xd8]);
    source.events!.onPreview(jpeg);
    expect(house.events.at(-1)).toEqual({ type: "picture", stream: "cam", t_media_ms: 2_000, jpeg });
    expect(house.service.picture("cam")).toEqual({ jpeg, t_media_ms: 2_000, t_wall_ms: clock.now_ms() });
    await shutDown(house);
  });

  it("a listener may leave, send another away, or fail: the others hear everything", async () => {
    const house = await open();
    const { service, clock } = house;
    const heard: Record<string, number> = { once: 0, sent_away: 0, late: 0 };
    const leave = service.listen(() => {
      heard.once!++;
      leave();
      sendAway();
      service.listen(() => heard.late!++);
    });
    const sendAway = service.listen(() => heard.sent_away!++);
    service.listen(() => {
      throw new Error("a viewer's bug");
    });
    const all: StreamEvent[] = [];
    service.listen((event) => void all.push(event));
    await service.add(cam);
    await clock.advance(3_000);
    expect(all).toEqual(house.events);
    expect(heard).toEqual({ once: 1, sent_away: 0, late: all.length - 1 });
    expect(service.get("cam").status).toBe("live");
    expect(house.complaints.every((line) => line.startsWith("listener failed"))).toBe(true);
    await shutDown(house);
  });

  it("nothing is told after a stream was removed, or after the end", async () => {
    const house = await open();
    const { service, clock, events } = house;
    await service.add(cam);
    await clock.advance(3_000);
    await service.remove("cam");
    const count = events.length;
    await clock.advance(3_000);
    expect(events.length).toBe(count);
    await shutDown(house);
    await settle();
    expect(events.length).toBe(count);
  });
});

describe("a house without faults", () => {
  it("with the store of a stream that never spoke closes and opens without a word", async () => {
    const house = await open({ store: new MemoryStore() });
    await house.service.add({ name: "Phone", source: { kind: "push" } });
    await shutDown(house);
    expect([house.complaints, house.store.listSnapshots("phone").length]).toEqual([[], 1]);
  });
});
