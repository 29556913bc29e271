// The media clock: what a stream's time is, over restarts, for cameras and for recordings.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { ManualClock, settle } from "./manual_clock.ts";
import { type House, openCam, shutDown } from "./pipeline_fixture.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

const gates = { change: false, novelty: true };

function ticksOf({ store }: House): [number, number][] {
  return store.history.map(({ tick, t_media_ms }) => [tick, t_media_ms]);
}

async function openCamera(clock: ManualClock, house?: House) {
  const source = new ScriptedSource({ clock, replayable: false });
  return await openCam(() => source, { clock, pace: "live", gates, store: house?.store });
}

describe("the media clock of a camera", () => {
  it("begins at its first frame, tick 1", async () => {
    const clock = new ManualClock();
    const house = await openCamera(clock);
    await clock.advance(900);
    expect(ticksOf(house)).toEqual([[1, 0], [2, 500]]);
    await shutDown(house);
  });

  it("goes on by the wall clock after a restart", async () => {
    const clock = new ManualClock();
    const house = await openCamera(clock);
    await clock.advance(5_000);
    const last = house.store.ticks("cam").at(-1)!;
    const closed = house.service.close();
    await clock.advance(0);
    await closed;
    await clock.advance(3_600_000);
    const again = await openCamera(clock, house);
    await clock.advance(700);
    const first = again.store.history.find(({ tick }) => tick > last.tick)!;
    expect(first.t_media_ms - last.t_media_ms).toBe(first.t_wall_ms - last.t_wall_ms);
    expect(first.t_media_ms).toBeGreaterThan(3_600_000);
    expect(first.tick).toBe(1 + first.t_media_ms / 500);
    await shutDown(again);
  });

  it("counts the time its source took to come back, too", async () => {
    const clock = new ManualClock();
    let opening_ms = 0;
    const source = new ScriptedSource({
      clock,
      replayable: false,
      onFrame: (index) => index === 0 ? clock.sleep(opening_ms) : undefined,
    });
    const house = await openCam(() => source, { clock, pace: "live", gates });
    for (let round = 0; round < 5; round++) {
      await clock.advance(3_000);
      await house.service.pause("cam");
      opening_ms = 7_300;
      await house.service.resume("cam");
      await clock.advance(8_000);
    }
    const records = house.store.history;
    const { t_media_ms, t_wall_ms } = records.at(-1)!;
    expect(t_media_ms).toBe(t_wall_ms - 1_700_000_000_000);
    await shutDown(house);
  });

  it("never goes back when the wall clock does, and ticks are never used twice", async () => {
    const clock = new ManualClock();
    const house = await openCamera(clock);
    await clock.advance(5_000);
    const closed = house.service.close();
    await clock.advance(0);
    await closed;
    const last = house.store.ticks("cam").at(-1)!;
    clock.setWall(-3_600_000);
    const again = await openCamera(clock, house);
    await clock.advance(2_000);
    const after = again.store.history.filter(({ tick }) => tick > last.tick);
    expect(after.map(({ tick }) => tick - last.tick)).toEqual([1, 2, 3, 4, 5]);
    expect(after[0]!.t_media_ms).toBe(last.t_media_ms + 500);
    await shutDown(again);
  });

  it("goes on over a source that is opened again within one run", async () => {
    const clock = new ManualClock();
    const house = await openCamera(clock);
    await clock.advance(2_000);
    house.engine.fail_next = new Error("device lost");
    await clock.advance(4_000);
    for (const { tick, t_media_ms, t_wall_ms } of house.store.history) {
      expect(t_media_ms).toBe(t_wall_ms - 1_700_000_000_000);
      expect(tick).toBe(1 + t_media_ms / 500);
    }
    await shutDown(house);
  });
});

describe("the media clock of a recording", () => {
  async function openRecording(
    clock: ManualClock,
    options: { stop_at?: number; rate?: number; house?: House },
  ) {
    const { stop_at, rate = 2, house } = options;
    const every_ms = 1_000 / rate;
    const source = new ScriptedSource({
      clock,
      frames: 40,
      every_ms,
      onFrame: (index) => {
        if (index === stop_at) source.dead = true;
      },
    });
    const next = await openCam(() => source, { clock, gates, store: house?.store });
    if (!house && rate !== 2) await next.service.change("cam", { tick_rate_hz: rate });
    await settle();
    return { ...next, source };
  }

  it("goes on at the very next frame, however long nobody looked", async () => {
    const clock = new ManualClock();
    const first = await openRecording(clock, { stop_at: 17 });
    await shutDown(first);
    await clock.advance(86_400_000);
    const again = await openRecording(clock, { house: first });
    expect(again.source.requests.map(({ start_at_ms }) => start_at_ms)).toEqual([17 * 500]);
    expect(again.store.ticks("cam").at(-1)).toMatchObject({ tick: 40, t_media_ms: 39 * 500 });
    expect(again.service.get("cam").stats.ticks).toBe(40 - 17);
    await shutDown(again);
  });

  it("misses no frame at tick rates that are no round number of milliseconds", async () => {
    for (const rate of [3, 0.7, 7]) {
      const clock = new ManualClock();
      let house = await openRecording(clock, { stop_at: 1, rate });
      for (const stop_at of [2, 3, 7, 11, 12, 29, undefined]) {
        await shutDown(house);
        house = await openRecording(clock, { stop_at, rate, house });
      }
      expect(house.service.get("cam").status).toBe("ended");
      expect(house.store.lastSeq("cam")).toBeGreaterThan(0);
      const [last] = ticksOf(house).slice(-1);
      expect(last![0]).toBe(40);
      const offered = house.source.requests.map(({ start_at_ms }) => start_at_ms * rate / 1_000);
      expect(Math.abs(offered.at(-1)! - 29)).toBeLessThan(1e-9);
      await shutDown(house);
    }
  });

  it("that is looped goes on like a camera: its own clock begins again, the stream's does not", async () => {
    const clock = new ManualClock();
    const source = () => new ScriptedSource({ clock });
    const house = await openCam(source, { clock, pace: "live", gates, pulls: { loop: source } });
    const { service, store } = house;
    await service.add({
      id: "loop",
      name: "Loop",
      source: { kind: "pull", url: "loop", loop: true },
      gates,
    });
    await clock.advance(3_000);
    await service.pause("loop");
    await clock.advance(10_000);
    await service.resume("loop");
    await clock.advance(1_000);
    const last = store.ticks("loop").at(-1)!;
    expect(last.t_media_ms).toBe(last.t_wall_ms - 1_700_000_000_000);
    await shutDown(house);
  });
});
