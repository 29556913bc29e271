// Streams come, change, stand still and go.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { limits } from "../../src/pipeline/limits.ts";
import { ManualClock } from "./manual_clock.ts";
import { cam, open } from "./pipeline_cameras.ts";
import { captionsOf, openCam, shutDown, SlowEngine, stateOf } from "./pipeline_fixture.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

describe("adding a stream", () => {
  it("names it, completes it with the bundle's defaults, and starts its source", async () => {
    const house = await open();
    const { service, clock } = house;
    const view = await service.add({ name: "Front Door", source: { kind: "pull", url: "cam" } });
    expect(view).toMatchObject({
      id: "front-door",
      name: "Front Door",
      tick_rate_hz: 2,
      pace: "live",
      gates: { change: true, novelty: true },
      paused: false,
      last_seq: 0,
      stats: { ticks: 0, speak_threshold: 0.7, state_bytes: 20 },
    });
    await clock.advance(0);
    expect(service.get("front-door").status).toBe("live");
    expect((await service.add({ name: "Front door", source: { kind: "push" } })).id).toBe("front-door-2");
    await shutDown(house);
  });

  it("refuses a name that is taken, a source that can never be opened, and one too many", async () => {
    const house = await open({ streams_max: 2 });
    const { service } = house;
    await service.add(cam);
    await expect(service.add(cam)).rejects.toMatchObject({ code: "stream_exists" });
    await expect(service.add({ ...cam, id: "x", source: { kind: "pull", url: "file:///etc" } })).rejects
      .toMatchObject({ code: "denied" });
    await service.add({ name: "Push", source: { kind: "push" } });
    await expect(service.add({ name: "Third", source: { kind: "push" } })).rejects
      .toMatchObject({ code: "streams_full", retry: "backoff" });
    expect(house.store.loadStreams().map(({ id }) => id)).toEqual(["cam", "push"]);
    await service.remove("push");
    await service.add({ name: "Third", source: { kind: "push" } });
    await shutDown(house);
  });

  it("two of one name at once: one wins", async () => {
    const house = await open();
    const results = await Promise.allSettled([house.service.add(cam), house.service.add(cam)]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(house.engine.states_open).toBe(1);
    await shutDown(house);
  });

  it("without a free state leaves nothing behind, and works when there is one", async () => {
    const clock = new ManualClock();
    const house = await open({ clock, engine: new SlowEngine(clock, 0, 1) });
    const { service, store } = house;
    await service.add(cam);
    await expect(service.add({ name: "Other", source: { kind: "push" } })).rejects.toMatchObject({
      code: "full",
    });
    expect(service.list().map(({ id }) => id)).toEqual(["cam"]);
    expect(store.loadStreams().map(({ id }) => id)).toEqual(["cam"]);
    expect(store.names()).toEqual(["cam"]);
    await service.remove("cam");
    await service.add({ name: "Other", source: { kind: "push" } });
    await shutDown(house);
  });

  it("unknown streams are unknown everywhere", async () => {
    const house = await open();
    const { service } = house;
    const at = { kind: "now" as const };
    const unknown = expect.objectContaining({ code: "stream_unknown" });
    for (
      const act of [
        () => service.get("x"),
        () => service.captions("x", { limit: 1 }),
        () => service.answers("x", 1),
        () => service.snapshots("x"),
        () => service.picture("x"),
        () => service.publish("x", { onCredit: () => {}, onClosed: () => {} }),
      ]
    ) expect(act).toThrow(unknown);
    const promises = [
      service.change("x", {}),
      service.remove("x"),
      service.pause("x"),
      service.resume("x"),
      service.ask("x", { question: "?", at }),
      service.takeSnapshot("x"),
      service.readSnapshot("x", 1),
    ];
    for (const promise of promises) await expect(promise).rejects.toMatchObject({ code: "stream_unknown" });
    await shutDown(house);
  });
});

describe("a stream", () => {
  it("pauses after the tick under way, stays paused over a restart, and goes on with its memory", async () => {
    const house = await open();
    const { service, clock, store } = house;
    await service.add(cam);
    await clock.advance(4_100);
    const view = await service.pause("cam");
    expect(view).toMatchObject({ paused: true, status: "ended", reason: "paused" });
    const { ticks } = service.get("cam").stats;
    await clock.advance(5_000);
    expect(service.get("cam").stats.ticks).toBe(ticks);
    const state = await stateOf(house);
    await shutDown(house);
    const again = await open({ clock, store });
    expect(again.service.get("cam")).toMatchObject({ paused: true, status: "ended", name: "Cam" });
    expect(await stateOf(again)).toEqual(state);
    expect(await again.service.resume("cam")).toMatchObject({ paused: false });
    await clock.advance(3_000);
    expect(again.service.get("cam").status).toBe("live");
    expect(again.service.get("cam").stats.ticks).toBeGreaterThan(3);
    await shutDown(again);
  });

  it("changes its settings and keeps its memory, its numbers and its counters", async () => {
    const house = await open();
    const { service, clock, sources } = house;
    await service.add({ ...cam, gates: { novelty: false } });
    await clock.advance(8_000);
    await service.pause("cam");
    const before = { state: await stateOf(house), seq: service.get("cam").last_seq };
    const offered = service.get("cam").stats.frames_offered;
    const view = await service.change("cam", {
      gates: { change: false },
      speak_threshold: 0.2,
      name: undefined,
    });
    expect(view).toMatchObject({
      name: "Cam",
      gates: { change: false, novelty: false },
      stats: { speak_threshold: 0.2 },
    });
    expect(await stateOf(house)).toEqual(before.state);
    await service.resume("cam");
    await clock.advance(8_000);
    expect(service.get("cam").last_seq).toBeGreaterThan(before.seq);
    expect(service.get("cam").stats.frames_offered).toBeGreaterThan(offered);
    await service.change("cam", { source: { kind: "push" } });
    expect(sources.pushes.length).toBe(1);
    expect(house.store.loadStreams()[0]!.spec).toMatchObject({
      source: { kind: "push" },
      speak_threshold: 0.2,
    });
    await expect(service.change("cam", { source: { kind: "pull", url: "nowhere" } })).rejects.toMatchObject({
      code: "denied",
    });
    expect(service.get("cam").source).toEqual({ kind: "push" });
    await shutDown(house);
  });

  it("takes a new name without a break", async () => {
    const house = await open();
    await house.service.add(cam);
    await house.clock.advance(1_000);
    house.events.length = 0;
    expect(await house.service.change("cam", { name: "Back door" })).toMatchObject({ name: "Back door" });
    expect(house.events.map(({ type }) => type)).toEqual(["stream.changed"]);
    await shutDown(house);
  });

  it("goes on with its ticks when its tick rate is changed, up or down", async () => {
    const clock = new ManualClock();
    const house = await openCam(() => new ScriptedSource({ clock, replayable: false, every_ms: 250 }), {
      clock,
      pace: "live",
      gates: { change: false, novelty: true },
    });
    const { service, store } = house;
    await clock.advance(10_000);
    for (const tick_rate_hz of [0.5, 4, 2]) {
      const before = store.ticks("cam").at(-1)!;
      await service.change("cam", { tick_rate_hz });
      await clock.advance(10_000);
      const after = store.ticks("cam").at(-1)!;
      const passed_ms = after.t_media_ms - before.t_media_ms;
      expect(Math.abs(passed_ms - 10_000)).toBeLessThanOrEqual(2_000);
      expect(Math.abs(after.tick - before.tick - passed_ms * tick_rate_hz / 1_000)).toBeLessThanOrEqual(1);
    }
    await shutDown(house);
  });

  it("is removed with everything it had, and its name is free again", async () => {
    const house = await open();
    const { service, clock, store, engine, events } = house;
    await service.add(cam);
    await clock.advance(6_000);
    await service.ask("cam", { question: "What?", at: { kind: "now" } });
    expect(captionsOf(house).length).toBeGreaterThan(0);
    await service.remove("cam");
    expect([store.names(), store.loadStreams(), engine.states_open]).toEqual([[], [], 0]);
    expect(events.at(-1)).toEqual({ type: "stream.removed", stream: "cam" });
    expect(() => service.get("cam")).toThrow("none of that name");
    await service.add(cam);
    await clock.advance(1_000);
    expect(captionsOf(house).every(({ tick }) => tick <= 3)).toBe(true);
    expect(service.answers("cam", 10)).toEqual([]);
    await shutDown(house);
  });

  it("whose source ended or is denied says why when its last frame was fed, and can be started again", async () => {
    const clock = new ManualClock();
    const engine = new SlowEngine(clock, 40);
    const source = new ScriptedSource({ clock, replayable: false, frames: 3 });
    const house = await open({ clock, engine, pulls: { cam: () => source } });
    const added = house.service.add(cam);
    await clock.advance(2_000);
    await added;
    const [last] = house.events.filter((event) => event.type === "stream.status").slice(-1);
    expect(last).toMatchObject({ status: "ended", reason: "the camera was switched off" });
    await house.service.resume("cam");
    await clock.advance(100);
    expect(house.service.get("cam").status).toBe("live");
    expect(source.requests.length).toBe(2);
    await shutDown(house);
  });

  it("that is pushed has no publisher while paused, and counts what it refuses", async () => {
    const house = await open();
    const { service } = house;
    await service.add(cam);
    await service.add({ id: "phone", name: "Phone", source: { kind: "push" } });
    let credits = 0;
    const events = { onCredit: (messages: number) => void (credits += messages), onClosed: () => {} };
    expect(() => service.publish("cam", events)).toThrow(
      expect.objectContaining({ code: "request_invalid" }),
    );
    const publisher = service.publish("phone", events);
    expect(credits).toBe(4);
    const codec = "jpeg" as const;
    const message = { codec, t_media_us: 0, sequence: 0, key_frame: true, payload: new Uint8Array(1) };
    expect(publisher.offer(message)).toEqual({ taken: true });
    expect(publisher.offer({ ...message, payload: new Uint8Array() })).toMatchObject({ taken: false });
    expect(service.get("phone").stats.drops.refused).toBe(1);
    await service.pause("phone");
    expect(() => service.publish("phone", events)).toThrow(
      expect.objectContaining({ code: "stream_paused" }),
    );
    await shutDown(house);
  });
});

describe("testing an address", () => {
  const source = { kind: "pull", url: "cam" } as const;

  it("is bounded, and each place is free again when its test has ended", async () => {
    const house = await open();
    const { service, sources } = house;
    const probes = Array.from({ length: limits.probes_max }, () => service.probe(source));
    await expect(service.probe(source)).rejects.toMatchObject({ code: "probes_full", retry: "backoff" });
    expect(sources.probes).toHaveLength(limits.probes_max);
    sources.probes[0]!.end();
    expect(await probes[0]).toMatchObject({ ok: true });
    const another = service.probe(source);
    for (const { end } of sources.probes) end();
    await Promise.all([...probes, another]);
    await shutDown(house);
  });

  it("ends when its asker leaves, and when the service closes", async () => {
    const house = await open();
    const asker = new AbortController();
    const left = house.service.probe(source, asker.signal);
    asker.abort();
    expect(await left).toMatchObject({ ok: false });
    const rest = [house.service.probe(source), house.service.probe(source, new AbortController().signal)];
    await shutDown(house);
    for (const probe of await Promise.all(rest)) expect(probe.ok).toBe(false);
  });
});
