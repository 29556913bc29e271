// When snapshots are taken, which stay, and what the journal must still hold for them.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { snapshots_max } from "../../src/pipeline/ladder.ts";
import { limits } from "../../src/pipeline/limits.ts";
import { ManualClock, settle } from "./manual_clock.ts";
import { MemoryStore } from "./memory_store.ts";
import { openCam, shutDown } from "./pipeline_fixture.ts";
import { hold } from "./pipeline_law.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

/** A camera in front of which something always moves. */
async function openCamera(options: { write_ms?: number; every_ms?: number } = {}) {
  const { write_ms = 0, every_ms = 500 } = options;
  const clock = new ManualClock();
  const store = new MemoryStore(clock);
  store.write_ms = write_ms;
  const committed: number[] = [];
  const commit = store.commitTick.bind(store);
  store.commitTick = (stream, record, caption) => {
    commit(stream, record, caption);
    committed.push(record.tick);
  };
  const source = new ScriptedSource({ clock, replayable: false, every_ms });
  const adding = openCam(() => source, {
    clock,
    store,
    pace: "live",
    gates: { change: false, novelty: true },
  });
  await clock.advance(write_ms);
  return { ...await adding, committed };
}

describe("snapshots of a stream", () => {
  it("the first is on disk before the first tick", async () => {
    const house = await openCamera({ write_ms: 2_000 });
    expect(house.store.listSnapshots("cam").map(({ tick, seq }) => [tick, seq])).toEqual([[0, 0]]);
    await shutDown(house);
  });

  it("are taken once per second of media time, and each knows its caption number", async () => {
    const house = await openCamera();
    await house.clock.advance(20_250);
    const { store } = house;
    const heads = store.listSnapshots("cam");
    // Of the first second the one before the first tick stays: it is the oldest.
    const seconds = Array.from({ length: 21 }, (_, second) => (20 - second) * 1_000);
    expect(heads.map(({ t_media_ms }) => t_media_ms)).toEqual(seconds);
    expect(heads.at(-1)!.tick).toBe(0);
    for (const { tick, seq, t_wall_ms } of heads) {
      const before = store.captions("cam", { limit: 1e9 }).filter((caption) => caption.tick <= tick);
      expect(seq).toBe(before.length);
      expect(t_wall_ms).toBeLessThanOrEqual(house.clock.now_ms());
    }
    await shutDown(house);
  });

  it("in a fast recording are not closer than snapshot_wall_ms_min", async () => {
    const clock = new ManualClock();
    const store = new MemoryStore(clock);
    const taken_ms: number[] = [];
    store.onOperation = (name) => name === "snapshot begins" && taken_ms.push(clock.monotonic_ms());
    const house = await openCam(() => new ScriptedSource({ clock, frames: 400, wall_ms: 13 }), {
      clock,
      store,
    });
    await settle();
    const gaps = taken_ms.slice(2).map((at, index) => at - taken_ms[index + 1]!);
    expect(gaps.length).toBeGreaterThan(10);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(limits.snapshot_wall_ms_min);
    await shutDown(house);
  });

  it("the journal holds what two generations need, and nothing older", async () => {
    const camera = fc.record({
      write_ms: fc.constantFrom(0, 30, 700, 4_000),
      every_ms: fc.constantFrom(250, 500, 1_500),
      wait_ms: fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 8 }),
    });
    await hold(25, camera, async ({ write_ms, every_ms, wait_ms }) => {
      const house = await openCamera({ write_ms, every_ms });
      for (const wait of wait_ms) {
        await house.clock.advance(wait);
        const [, second] = house.store.listSnapshots("cam");
        const journal = house.store.ticks("cam").map(({ tick }) => tick);
        expect(journal).toEqual(house.committed.filter((tick) => tick > (second?.tick ?? 0)));
      }
      await shutDown(house);
    });
  });

  it("one write is under way at a time, however slow the disk", async () => {
    const house = await openCamera({ write_ms: 3_300 });
    let writing = 0;
    let most = 0;
    const { store, clock } = house;
    const write = store.writeSnapshot.bind(store);
    store.writeSnapshot = async (head, blob) => {
      most = Math.max(most, ++writing);
      await write(head, blob);
      writing--;
    };
    const asked = Promise.all(Array.from({ length: 5 }, () => house.service.takeSnapshot("cam")));
    await clock.advance(60_000);
    expect(most).toBe(1);
    expect(new Set((await asked).map(({ tick }) => tick)).size).toBe(5);
    await shutDown(house);
    expect(writing).toBe(0);
  });

  it("one taken by hand is of the next tick edge, never of half a tick", async () => {
    const house = await openCamera();
    const { service, engine, clock, store } = house;
    await clock.advance(2_000);
    engine.step_ms = 20;
    await clock.advance(510);
    const { tick } = store.ticks("cam").at(-1)!;
    const taking = service.takeSnapshot("cam");
    await clock.advance(10);
    expect(store.ticks("cam").at(-1)!.tick).toBe(tick);
    await clock.advance(300);
    expect((await taking).tick).toBe(tick + 1);
    expect((await service.readSnapshot("cam", tick + 1)).head).toMatchObject({ tick: tick + 1 });
    await shutDown(house);
  });

  it("the last one is written when the stream is closed, so that nothing need be fed again", async () => {
    const house = await openCamera({ write_ms: 40 });
    await house.clock.advance(7_800);
    await shutDown(house);
    const { store } = house;
    const { tick } = store.listSnapshots("cam")[0]!;
    expect([tick, store.ticksAfter("cam", tick)]).toEqual([16, []]);
    expect(house.complaints).toEqual([]);
  });

  it("half an hour of a recording leaves a ladder, not a heap, and reads back to the beginning", async () => {
    const clock = new ManualClock();
    const frames = 1_800;
    const source = new ScriptedSource({ clock, frames, every_ms: 1_000, wall_ms: 1_000 });
    const house = await openCam(() => source, { clock, gates: { change: false, novelty: true } });
    for (let waits = 0; waits < 20 && source.running_count > 0; waits++) await settle();
    const heads = house.store.listSnapshots("cam");
    expect(house.service.get("cam").stats).toMatchObject({ ticks: frames, snapshots: heads.length });
    expect(heads.length).toBeLessThanOrEqual(snapshots_max);
    const ages_ms = heads.map(({ t_media_ms }) => heads[0]!.t_media_ms - t_media_ms);
    for (const rung of limits.snapshot_ladder.slice(0, 2)) {
      const beyond = ages_ms.find((age_ms) => age_ms >= rung.age_ms)!;
      expect(beyond - rung.age_ms).toBeLessThan(60_000);
    }
    expect(ages_ms.at(-1)).toBe(1_799_000);
    expect(house.store.ticks("cam").length).toBeLessThan(5);
    await shutDown(house);
  });

  it("what is damaged or gone is unknown, and says so", async () => {
    const house = await openCamera();
    await house.clock.advance(3_100);
    house.store.damage("cam");
    const { tick } = house.store.listSnapshots("cam")[0]!;
    await expect(house.service.readSnapshot("cam", tick)).rejects.toMatchObject({ code: "snapshot_unknown" });
    await expect(house.service.readSnapshot("cam", 9_999)).rejects.toMatchObject({
      code: "snapshot_unknown",
    });
    await expect(house.service.takeSnapshot("nobody")).rejects.toMatchObject({ code: "stream_unknown" });
    await shutDown(house);
  });
});
