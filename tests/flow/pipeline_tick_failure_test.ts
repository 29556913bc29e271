// A tick that fails half way never happened: the memory comes back from disk and the stream goes on.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { GanderError } from "../../src/errors.ts";
import { limits } from "../../src/pipeline/limits.ts";
import { ManualClock } from "./manual_clock.ts";
import { captionsOf, type House, openCam, SlowEngine, stateOf, wordsOf } from "./pipeline_fixture.ts";
import { hold } from "./pipeline_law.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

const frames = 40;
type Fault = "engine" | "vision" | "store";

function breakNext(house: House, fault: Fault): void {
  if (fault === "engine") house.engine.fail_next = new Error("device lost");
  if (fault === "vision") house.vision.fail_next = new Error("no picture");
  if (fault === "store") {
    house.store.commit_error = new GanderError("store_failed", "Cannot commit: a fault");
    house.store.commit_errors_left = 1;
  }
}

async function open(faults: readonly { frame: number; fault: Fault }[]) {
  const clock = new ManualClock();
  const due = [...faults];
  const source = new ScriptedSource({
    clock,
    frames,
    // The first frames come before the house stands.
    onFrame: (index) => {
      for (const one of due.filter(({ frame }) => frame === index)) {
        due.splice(due.indexOf(one), 1);
        breakNext(house, one.fault);
      }
    },
  });
  const house = await openCam(() => source, { clock });
  return { ...house, source };
}

async function finish(house: House & { source: ScriptedSource }) {
  for (let waits = 0; waits < 40 && house.service.get("cam").status !== "ended"; waits++) {
    await house.clock.advance(limits.restart_ms_max);
  }
  expect(house.service.get("cam").reason).toBe("the recording is over");
  const result = { captions: wordsOf(captionsOf(house)), state: await stateOf(house) };
  await house.service.close();
  expect([house.engine.states_open, house.clock.sleeping_count]).toEqual([0, 0]);
  return result;
}

describe("a tick that fails", () => {
  for (const fault of ["engine", "vision", "store"] as const) {
    it(`${fault}: is told, undone and done again, and nothing differs afterwards`, async () => {
      const whole = await finish(await open([]));
      const house = await open([{ frame: 16, fault }]);
      await house.clock.advance(0);
      expect(house.service.get("cam")).toMatchObject({
        status: "reconnecting",
        reason: expect.stringContaining("a tick failed and is tried again"),
      });
      expect(await finish(house)).toEqual(whole);
      expect(house.source.requests.length).toBe(2);
      expect(house.complaints).toEqual([expect.stringContaining("tick failed")]);
    });
  }

  it("however many, whichever: the recording ends with the same captions and memory", async () => {
    const whole = await finish(await open([]));
    const fault = fc.record({
      frame: fc.integer({ min: 4, max: frames - 1 }),
      fault: fc.constantFrom<Fault>("engine", "vision", "store"),
    });
    await hold(30, fc.array(fault, { minLength: 1, maxLength: 5 }), async (faults) => {
      expect(await finish(await open(faults))).toEqual(whole);
    });
  });

  it("in a live stream, the memory is that of the ticks in the journal", async () => {
    const clock = new ManualClock();
    const source = new ScriptedSource({ clock, replayable: false });
    const house = await openCam(() => source, { clock, pace: "live" });
    await clock.advance(3_200);
    house.engine.fail_next = new Error("device lost");
    await clock.advance(6_000);
    expect(house.service.get("cam")).toMatchObject({ status: "live", stats: { drops: { failed: 1 } } });
    const state = await stateOf(house);
    // Another process would have the same from disk, without the snapshot just taken.
    const store = house.store.clone(clock);
    store.damage("cam");
    const again = await openCam(() => new ScriptedSource({ clock, frames: 0 }), {
      clock,
      store,
      pace: "live",
    });
    expect(await stateOf(again)).toEqual(state);
    await again.service.close();
    await house.service.close();
  });

  it("one stream's bad picture does not touch the other; a lost device touches all, and all come back", async () => {
    const clock = new ManualClock();
    const other = () => new ScriptedSource({ clock, replayable: false });
    const house = await openCam(() => new ScriptedSource({ clock, replayable: false }), {
      clock,
      pace: "live",
      pulls: { other },
    });
    const { service, engine, vision } = house;
    await service.add({ id: "other", name: "Other", source: { kind: "pull", url: "other" } });
    await clock.advance(2_000);
    vision.fail_next = new Error("no picture");
    await clock.advance(500);
    expect(service.list().map(({ status }) => status).sort()).toEqual(["live", "reconnecting"]);
    await clock.advance(2_000);
    expect(service.list().map(({ status }) => status)).toEqual(["live", "live"]);
    engine.step_ms = 10;
    await clock.advance(470);
    engine.fail_next = new Error("device lost");
    await clock.advance(300);
    expect(service.list().map(({ status }) => status)).toEqual(["reconnecting", "reconnecting"]);
    engine.step_ms = 0;
    await clock.advance(5_000);
    expect(service.list().map(({ status }) => status)).toEqual(["live", "live"]);
    await service.close();
    expect(engine.states_open).toBe(0);
  });

  it("waits longer after each failure in a row, and begins anew after one that worked", async () => {
    const clock = new ManualClock();
    const source = new ScriptedSource({ clock, replayable: false });
    const house = await openCam(() => source, { clock, pace: "live" });
    const waits: number[] = [];
    let failed_at_ms = 0;
    let blind = true;
    house.vision.onEncode = () => {
      if (blind) house.vision.fail_next = new Error("no picture");
    };
    house.service.listen((event) => {
      if (event.type !== "stream.status") return;
      if (event.status === "reconnecting") failed_at_ms = clock.monotonic_ms();
      if (event.status === "live") waits.push(clock.monotonic_ms() - failed_at_ms);
    });
    await clock.advance(200_000);
    expect(waits.slice(0, 9)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    blind = false;
    await clock.advance(40_000);
    blind = true;
    waits.length = 0;
    await clock.advance(9_000);
    expect(waits.slice(0, 3)).toEqual([500, 1_000, 2_000]);
    await house.service.close();
    expect(clock.sleeping_count).toBe(0);
  });

  it("questions asked meanwhile wait for the memory to be whole, and are answered from it", async () => {
    const clock = new ManualClock();
    const engine = new SlowEngine(clock, 0);
    const source = new ScriptedSource({ clock, replayable: false });
    const house = await openCam(() => source, { clock, engine, pace: "live" });
    await clock.advance(5_000);
    engine.step_ms = 20;
    await clock.advance(1_010);
    const { tick } = house.store.ticks("cam").at(-1)!;
    // In the middle of a tick: the fork waits for its edge, and the edge never comes.
    const asked = house.service.ask("cam", { question: "What now?", at: { kind: "now" } });
    const snapped = house.service.takeSnapshot("cam");
    engine.fail_next = new Error("device lost");
    await clock.advance(60);
    expect(house.service.get("cam").status).toBe("reconnecting");
    engine.step_ms = 0;
    await clock.advance(100);
    expect(await asked).toMatchObject({ status: "done", tick });
    expect((await snapped).tick).toBe(tick);
    await house.service.close();
    expect(engine.states_open).toBe(0);
  });

  it("a memory that cannot be brought back is tried again, and its questions end at their deadline", async () => {
    const clock = new ManualClock();
    const source = new ScriptedSource({ clock, replayable: false });
    const house = await openCam(() => source, { clock, pace: "live" });
    const { service, engine, store } = house;
    await clock.advance(5_000);
    const read = store.readSnapshot.bind(store);
    store.readSnapshot = () =>
      Promise.reject(new GanderError("store_failed", "Cannot read: a fault", "backoff"));
    engine.fail_next = new Error("device lost");
    await clock.advance(3_000);
    const asked = service.ask("cam", { question: "Anybody?", at: { kind: "now" }, deadline_ms: 2_000 });
    await clock.advance(2_000);
    expect(await asked).toMatchObject({ status: "deadline", answer: "" });
    expect(engine.states_open).toBe(1);
    store.readSnapshot = read;
    await clock.advance(40_000);
    expect(service.get("cam").status).toBe("live");
    await service.close();
    expect([engine.states_open, clock.sleeping_count]).toEqual([0, 0]);
  });
});
