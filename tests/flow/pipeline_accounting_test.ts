// Every frame that is offered is fed, dropped for a reason that is counted, or waiting: always.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { ManualClock } from "./manual_clock.ts";
import { type House, openCam, shutDown, SlowEngine } from "./pipeline_fixture.ts";
import { hold } from "./pipeline_law.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

function waitingOf({ service }: House): number {
  const { frames_offered, frames_fed, drops } = service.get("cam").stats;
  return frames_offered - frames_fed - drops.mailbox - drops.still - drops.failed;
}

interface Camera {
  every_ms: number;
  step_ms: number;
  encode_ms: number;
  frames: number;
}

async function openCamera({ every_ms, step_ms, encode_ms, frames }: Camera) {
  const clock = new ManualClock();
  const engine = new SlowEngine(clock, step_ms);
  const source = new ScriptedSource({ clock, replayable: false, every_ms, frames });
  const house = await openCamPaused(source, clock, engine);
  house.vision.encode_ms = encode_ms;
  await house.service.resume("cam");
  return { ...house, source };
}

/** Added and paused at once, so that a test can set things up before the first frame. */
async function openCamPaused(source: ScriptedSource, clock: ManualClock, engine: SlowEngine): Promise<House> {
  const { step_ms } = engine;
  engine.step_ms = 0;
  const house = await openCam(() => source, { clock, engine, pace: "live", pulls: {} });
  await house.service.pause("cam");
  engine.step_ms = step_ms;
  return house;
}

const camera = fc.record({
  every_ms: fc.constantFrom(40, 100, 250, 500),
  step_ms: fc.constantFrom(0, 5, 60, 400),
  encode_ms: fc.constantFrom(0, 30, 700),
  frames: fc.integer({ min: 1, max: 60 }),
});

describe("accounting", () => {
  it("offered = fed + mailbox + still + failed + waiting, at every moment of a live stream, however slow", async () => {
    await hold(40, camera, async (script) => {
      const house = await openCamera(script);
      for (let passed_ms = 0; passed_ms < 30_000 && house.source.running_count > 0; passed_ms += 170) {
        await house.clock.advance(170);
        expect(waitingOf(house)).toBeGreaterThanOrEqual(0);
        expect(waitingOf(house)).toBeLessThanOrEqual(2);
      }
      await house.clock.advance(60_000);
      const { stats, status } = house.service.get("cam");
      expect(status).toBe("ended");
      expect(waitingOf(house)).toBe(0);
      expect(stats.ticks).toBe(stats.frames_fed);
      expect(stats.captions).toBe(house.service.get("cam").last_seq);
      await shutDown(house);
    });
  });

  it("a slow engine makes the mailbox drop, and what is fed is the newest", async () => {
    const house = await openCamera({ every_ms: 100, step_ms: 200, encode_ms: 0, frames: 1_000 });
    await house.clock.advance(30_000);
    const { stats } = house.service.get("cam");
    expect(stats.drops.mailbox).toBeGreaterThan(200);
    expect(stats.frames_fed).toBeLessThan(60);
    // Never further behind than the frame in work and the one that waits.
    expect(stats.memory_age_ms).toBeGreaterThan(30_000 - 2 * stats.step_p95_ms! - 500);
    await shutDown(house);
  });

  it("frames are counted once, over pauses, failures and changes of the settings", async () => {
    const acts = fc.array(fc.constantFrom("pause", "resume", "fail", "change", "wait", "blind"), {
      maxLength: 12,
    });
    await hold(40, acts, async (script) => {
      const house = await openCamera({ every_ms: 100, step_ms: 25, encode_ms: 10, frames: 1e6 });
      for (const act of script) {
        const { service, engine, vision, clock } = house;
        const done = act === "pause"
          ? service.pause("cam")
          : act === "resume"
          ? service.resume("cam")
          : act === "change"
          ? service.change("cam", { speak_threshold: 0.5 })
          : undefined;
        if (act === "fail") engine.fail_next = new Error("device lost");
        if (act === "blind") vision.fail_next = new Error("no picture");
        await clock.advance(1_130);
        await done;
        expect(waitingOf(house)).toBeGreaterThanOrEqual(0);
        expect(waitingOf(house)).toBeLessThanOrEqual(2);
      }
      const paused = house.service.pause("cam");
      await house.clock.advance(5_000);
      await paused;
      expect(waitingOf(house)).toBe(0);
      await shutDown(house);
    });
  });

  it("a frame in a tick that had one already is counted as lost before the state", async () => {
    const clock = new ManualClock();
    // Four frames a tick.
    const source = new ScriptedSource({ clock, frames: 40, every_ms: 125 });
    const house = await openCam(() => source, { clock, gates: { change: false, novelty: true } });
    await clock.advance(0);
    const { stats } = house.service.get("cam");
    expect(stats).toMatchObject({ frames_offered: 40, frames_fed: 11, drops: { mailbox: 29, empty: 0 } });
    await shutDown(house);
  });

  it("ticks without a frame are counted as empty", async () => {
    const clock = new ManualClock();
    // One frame in four ticks.
    const source = new ScriptedSource({ clock, frames: 5, every_ms: 2_000 });
    const house = await openCam(() => source, { clock });
    await clock.advance(0);
    expect(house.service.get("cam").stats.drops.empty).toBe(4 * 3);
    await shutDown(house);
  });
});
