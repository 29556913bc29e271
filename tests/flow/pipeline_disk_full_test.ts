// Nothing is shown that is not written down: a full disk holds the narration, and it loses nothing.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { GanderError } from "../../src/errors.ts";
import { limits } from "../../src/pipeline/limits.ts";
import { ManualClock } from "./manual_clock.ts";
import { MemoryStore } from "./memory_store.ts";
import { captionsOf, type House, openCam, stateOf, wordsOf } from "./pipeline_fixture.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

const frames = 40;

/** A recording during which the disk is full from frame `full_at` on. */
async function open(full_at: number, store?: MemoryStore, clock = new ManualClock()) {
  const source = new ScriptedSource({
    clock,
    frames,
    onFrame: (index) => {
      if (index !== full_at) return;
      full_at = Infinity;
      house_store.disk_full = true;
    },
  });
  const house_store = store ?? new MemoryStore(clock);
  return { ...await openCam(() => source, { clock, store: house_store }), source };
}

async function result(house: House) {
  expect(house.service.get("cam").status).toBe("ended");
  return { captions: wordsOf(captionsOf(house)), state: await stateOf(house) };
}

async function undisturbed() {
  const house = await open(Infinity);
  await house.clock.advance(0);
  const whole = await result(house);
  await house.service.close();
  return whole;
}

function statusesOf({ events }: House): string[] {
  return events.flatMap((event) =>
    event.type === "stream.status" ? [`${event.status}: ${event.reason}`] : []
  );
}

describe("a full disk", () => {
  it("holds the narration, says so, and nothing is lost when there is room again", async () => {
    const house = await open(17);
    await house.clock.advance(0);
    const { service, clock, store, engine, events } = house;
    const { stats } = service.get("cam");
    expect(service.get("cam")).toMatchObject({
      status: "stalled",
      reason: expect.stringContaining("captions wait"),
    });
    await clock.advance(60_000);
    expect(service.get("cam").stats.ticks).toBe(stats.ticks);
    const shown = events.filter((event) => event.type === "caption.final").length;
    expect(shown).toBe(store.lastSeq("cam"));
    store.disk_full = false;
    await clock.advance(limits.commit_retry_ms);
    expect(await result(house)).toEqual(await undisturbed());
    expect(statusesOf(house)).toEqual([
      "connecting: opening the source",
      "live: frames arrive",
      expect.stringMatching(/^stalled: captions wait: Cannot commit tick \d+: the disk is full$/),
      "live: frames arrive",
      "ended: the recording is over",
    ]);
    await service.close();
    expect(engine.states_open).toBe(0);
  });

  it("what the source says meanwhile is what is shown afterwards", async () => {
    const clock = new ManualClock();
    const source = new ScriptedSource({ clock, replayable: false });
    const house = await openCam(() => source, { clock, pace: "live" });
    await clock.advance(5_000);
    house.store.disk_full = true;
    await clock.advance(5_000);
    source.events!.onStatus("reconnecting", "the camera went away");
    expect(house.service.get("cam").status).toBe("stalled");
    house.store.disk_full = false;
    await clock.advance(limits.commit_retry_ms);
    expect(house.service.get("cam")).toMatchObject({
      status: "reconnecting",
      reason: "the camera went away",
    });
    await house.service.close();
  });

  it("shutdown during the hold leaves a store from which all goes on", async () => {
    const house = await open(17);
    await house.clock.advance(2_500);
    const before = captionsOf(house);
    await house.service.close();
    expect([house.engine.states_open, house.clock.sleeping_count]).toEqual([0, 0]);
    expect(captionsOf(house)).toEqual(before);
    house.store.disk_full = false;
    const again = await open(Infinity, house.store, house.clock);
    await again.clock.advance(0);
    expect(await result(again)).toEqual(await undisturbed());
    await again.service.close();
  });

  it("pause during the hold undoes the tick, so that the memory can be asked; resume goes on with it", async () => {
    const house = await open(17);
    const { service, clock, store } = house;
    await clock.advance(2_500);
    // It is paused; that it would not be so after a restart is an error.
    await expect(service.pause("cam")).rejects.toMatchObject({ code: "disk_full" });
    expect(service.get("cam")).toMatchObject({ paused: true, status: "ended", reason: "paused" });
    expect(house.events.at(-1)).toMatchObject({ type: "stream.changed", stream: { paused: true } });
    const { tick } = store.ticks("cam").at(-1)!;
    const { status, answer, ...at } = await service.ask("cam", {
      question: "What now?",
      at: { kind: "now" },
    });
    expect([status, at.tick, answer === ""]).toEqual(["done", tick, false]);
    store.disk_full = false;
    await service.resume("cam");
    await clock.advance(0);
    expect(await result(house)).toEqual(await undisturbed());
    await service.close();
  });

  it("an answer that cannot be kept still reaches the one who asked", async () => {
    const house = await open(Infinity);
    await house.clock.advance(0);
    house.store.disk_full = true;
    const { answer, status } = await house.service.ask("cam", { question: "What now?", at: { kind: "now" } });
    expect([status, answer === ""]).toEqual(["done", false]);
    expect(house.service.answers("cam", 10)).toEqual([]);
    expect(house.complaints).toEqual([expect.stringContaining("answer not kept")]);
    await house.service.close();
  });

  it("snapshots that cannot be written do not stop the narration: the journal covers it", async () => {
    const house = await open(Infinity);
    const { store, service } = house;
    const write = store.writeSnapshot.bind(store);
    store.writeSnapshot = (head, blob) =>
      head.tick > 4
        ? Promise.reject(new GanderError("disk_full", "Cannot write: full", "backoff"))
        : write(head, blob);
    await house.clock.advance(0);
    expect(service.get("cam").status).toBe("ended");
    const captions = wordsOf(captionsOf(house));
    await service.close();
    expect(house.complaints.length).toBeGreaterThan(5);
    store.writeSnapshot = write;
    const again = await open(Infinity, store, house.clock);
    await again.clock.advance(0);
    expect({ captions, state: await stateOf(again) }).toEqual(await undisturbed());
    await again.service.close();
  });

  it("a stream cannot be added or changed while it cannot be written down, and stays what it was", async () => {
    const house = await open(Infinity);
    const { service, store } = house;
    await house.clock.advance(0);
    store.disk_full = true;
    await expect(service.add({ name: "Other", source: { kind: "push" } })).rejects.toMatchObject({
      code: "disk_full",
    });
    await expect(service.change("cam", { tick_rate_hz: 1 })).rejects.toMatchObject({ code: "disk_full" });
    expect(service.list().map(({ id, tick_rate_hz }) => [id, tick_rate_hz])).toEqual([["cam", 2]]);
    const { status } = await service.ask("cam", { question: "Still there?", at: { kind: "now" } });
    expect(status).toBe("done");
    await service.close();
    expect(house.engine.states_open).toBe(0);
  });
});
