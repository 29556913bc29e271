// Policy "refresh" with a model that takes many seconds for a picture, as large ones do on a CPU: the stream stays live,
// nobody waits for anybody else, and a stop is heard between two steps.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { ManualClock } from "./manual_clock.ts";
import { captionsOf, type House, makeHouse, shutDown, SlowEngine } from "./pipeline_fixture.ts";
import { refreshPolicy } from "./pipeline_refresh_house.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

/** Of the engine, and of the tower for one picture: a tick takes about ten seconds. */
const step_ms = 700;
const encode_ms = 5_000;

/** Cameras of two frames a second. */
async function open(cameras: readonly string[]): Promise<House> {
  const clock = new ManualClock();
  const source = () => new ScriptedSource({ clock, replayable: false });
  const house = makeHouse({
    clock,
    engine: new SlowEngine(clock, step_ms),
    policy: refreshPolicy({ cadence_s: 1 }),
    pulls: Object.fromEntries(cameras.map((id) => [id, source])),
  });
  house.vision.encode_ms = encode_ms;
  await house.service.open();
  for (const id of cameras) {
    const added = house.service.add({ id, name: id, source: { kind: "pull", url: id } });
    await house.clock.advance(10 * step_ms);
    await added;
  }
  return house;
}

describe("a slow model of policy refresh", () => {
  it("sees the newest picture of a stream that stays live; those in between are counted, not queued", async () => {
    const house = await open(["cam"]);
    await house.clock.advance(120_000);
    const { status, stats } = house.service.get("cam");
    expect(status).toBe("live");
    expect(stats.ticks).toBeGreaterThan(5);
    expect(stats.ticks).toBeLessThan(30);
    const { frames_offered, frames_fed, drops } = stats;
    expect(frames_offered).toBeGreaterThan(230);
    const waiting = frames_offered - frames_fed - drops.mailbox - drops.still - drops.failed;
    expect([0, 1, 2]).toContain(waiting);
    expect(drops.failed).toBe(0);
    expect(house.complaints).toEqual([]);
    // A picture waits for one tick at most before its own, whatever the backlog would be.
    const waits_ms = house.store.history.map(({ t_wall_ms }, index, all) =>
      t_wall_ms - (all[index - 1]?.t_wall_ms ?? t_wall_ms)
    );
    const tick_ms_max = stats.step_p95_ms! + 1_000;
    expect(Math.max(...waits_ms)).toBeLessThanOrEqual(tick_ms_max);
    await shutDown(house);
  });

  it("gives every stream its turn", async () => {
    const house = await open(["a", "b", "c"]);
    await house.clock.advance(180_000);
    const ticks = house.service.list().map(({ stats }) => stats.ticks);
    expect(Math.min(...ticks)).toBeGreaterThan(4);
    expect(Math.max(...ticks) - Math.min(...ticks)).toBeLessThanOrEqual(2);
    for (const id of ["a", "b", "c"]) expect(captionsOf(house, id).length).toBeGreaterThan(2);
    await shutDown(house);
  });

  it("answers a question while the next state is being made, from the one before", async () => {
    const house = await open(["cam"]);
    await house.clock.advance(30_000);
    house.vision.encode_ms = 100_000;
    let encoding = false;
    house.vision.onEncode = () => encoding = true;
    while (!encoding) await house.clock.advance(100);
    const newest = house.store.history.at(-1)!.tick;
    const asking = house.service.ask("cam", { question: "Now?", at: { kind: "now" }, deadline_ms: 60_000 });
    await house.clock.advance(60_000);
    const { status, answer, tick } = await asking;
    expect([status, answer !== "", tick]).toEqual(["done", true, newest]);
    // It did not wait for the tick that was under way.
    expect(house.store.history.at(-1)!.tick).toBe(newest);
    await house.clock.advance(60_000);
    expect(house.store.history.at(-1)!.tick).toBeGreaterThan(newest);
    house.vision.encode_ms = 0;
    await house.clock.advance(100_000);
    await shutDown(house);
  });

  for (const [where, onEncode_ms] of [["the tower", 100], ["the engine", encode_ms + 2 * step_ms]] as const) {
    it(`is stopped within a step while it is in ${where}, and goes on afterwards`, async () => {
      const house = await open(["cam"]);
      await house.clock.advance(30_000);
      let encoding = false;
      house.vision.onEncode = () => encoding = true;
      while (!encoding) await house.clock.advance(50);
      await house.clock.advance(onEncode_ms);
      const before = house.service.get("cam").stats;
      const begun_ms = house.clock.monotonic_ms();
      let paused = false;
      const pausing = house.service.pause("cam").then(() => paused = true);
      while (!paused && house.clock.monotonic_ms() < begun_ms + 20_000) await house.clock.advance(50);
      await pausing;
      expect(house.clock.monotonic_ms() - begun_ms).toBeLessThanOrEqual(step_ms + 100);
      const after = house.service.get("cam");
      expect([after.status, after.reason, after.stats.ticks]).toEqual(["ended", "paused", before.ticks]);
      // Its frame, and one that may have waited behind it.
      expect([1, 2]).toContain(after.stats.drops.failed - before.drops.failed);
      const said = captionsOf(house).length;
      await house.service.resume("cam");
      await house.clock.advance(60_000);
      const captions = captionsOf(house);
      expect(captions.length).toBeGreaterThan(said);
      expect(captions.map(({ seq }) => seq)).toEqual(captions.map((_, index) => index + 1));
      expect(house.complaints).toEqual([]);
      await shutDown(house);
    });
  }
});
