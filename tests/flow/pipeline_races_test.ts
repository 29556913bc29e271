// Things that happen at the same moment: nothing hangs, nothing leaks, and what was asked for last is what holds.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { ManualClock, settle } from "./manual_clock.ts";
import { MemoryStore } from "./memory_store.ts";
import { captionsOf, type House, makeHouse, openCam, shutDown, SlowEngine } from "./pipeline_fixture.ts";
import { hold } from "./pipeline_law.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

const now = { kind: "now" as const };

/** A live camera on an engine and a disk that take their time. */
async function slowHouse(): Promise<House> {
  const clock = new ManualClock();
  const engine = new SlowEngine(clock, 0);
  const store = new MemoryStore(clock);
  const camera = () => new ScriptedSource({ clock, replayable: false });
  const house = await openCam(camera, { clock, engine, store, pace: "live", pulls: { other: camera } });
  await clock.advance(4_100);
  engine.step_ms = 30;
  store.write_ms = 70;
  store.read_ms = 20;
  house.vision.encode_ms = 40;
  return house;
}

/** Lets time go on until the promise is settled, however it ends. */
async function passUntil<T>({ clock }: House, promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  let result: PromiseSettledResult<T> | undefined;
  void Promise.allSettled([promise]).then(([settled]) => result = settled);
  for (let waits = 0; waits < 400 && !result; waits++) await clock.advance(100);
  if (!result) throw new Error("it hangs");
  return result;
}

async function expectNothingLeft(house: House): Promise<void> {
  house.engine.step_ms = 0;
  await shutDown(house);
  const seqs = captionsOf(house).map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
}

describe("at the same moment", () => {
  it("pause while a frame is being encoded waits for its tick, and ends with it", async () => {
    const house = await slowHouse();
    const { service, clock, store } = house;
    await clock.advance(410);
    const offered = service.get("cam").stats.frames_offered;
    const ticks = store.history.length;
    const paused = await passUntil(house, service.pause("cam"));
    expect(paused.status).toBe("fulfilled");
    expect(service.get("cam").stats.frames_offered).toBe(offered);
    expect(store.history.length).toBe(ticks + 1);
    await expectNothingLeft(house);
  });

  it("two changes: both hold", async () => {
    const house = await slowHouse();
    const { service } = house;
    const both = Promise.all([
      service.change("cam", { speak_threshold: 0.1 }),
      service.change("cam", { gates: { change: false } }),
      service.change("cam", { name: "Renamed" }),
    ]);
    expect((await passUntil(house, both)).status).toBe("fulfilled");
    const expected = { name: "Renamed", gates: { change: false } };
    expect(service.get("cam")).toMatchObject({ ...expected, stats: { speak_threshold: 0.1 } });
    expect(house.store.loadStreams()[0]!.spec).toMatchObject({ ...expected, speak_threshold: 0.1 });
    expect(house.engine.states_open).toBe(1);
    await expectNothingLeft(house);
  });

  it("pause, then resume, then pause: the last holds, on disk too", async () => {
    const house = await slowHouse();
    const { service } = house;
    const all = Promise.all([service.pause("cam"), service.resume("cam"), service.pause("cam")]);
    expect((await passUntil(house, all)).status).toBe("fulfilled");
    expect(service.get("cam")).toMatchObject({ paused: true, status: "ended", reason: "paused" });
    expect(house.store.loadStreams()[0]!.paused).toBe(true);
    await expectNothingLeft(house);
  });

  it("pause while the stream is being opened", async () => {
    const house = await slowHouse();
    const { service } = house;
    const added = service.add({ id: "other", name: "Other", source: { kind: "pull", url: "other" } });
    const paused = service.pause("other");
    expect((await passUntil(house, Promise.all([added, paused]))).status).toBe("fulfilled");
    expect(service.get("other")).toMatchObject({ paused: true, status: "ended" });
    await expectNothingLeft(house);
  });

  it("remove while it is being opened; and its name is not free before it is gone", async () => {
    const house = await slowHouse();
    const { service, store } = house;
    const other = { id: "other", name: "Other", source: { kind: "pull" as const, url: "other" } };
    const added = service.add(other);
    const removed = service.remove("other");
    await settle();
    await expect(service.add(other)).rejects.toMatchObject({ code: "stream_exists" });
    expect((await passUntil(house, Promise.all([added, removed]))).status).toBe("fulfilled");
    expect(store.names()).toEqual(["cam"]);
    expect((await passUntil(house, service.add(other))).status).toBe("fulfilled");
    expect(service.get("other").last_seq).toBe(0);
    await expectNothingLeft(house);
  });

  it("remove twice: once", async () => {
    const house = await slowHouse();
    const twice = Promise.allSettled([house.service.remove("cam"), house.service.remove("cam")]);
    const result = await passUntil(house, twice);
    expect(result).toMatchObject({
      value: [{ status: "fulfilled" }, { status: "rejected", reason: { code: "stream_unknown" } }],
    });
    expect(house.events.filter(({ type }) => type === "stream.removed").length).toBe(1);
    await expectNothingLeft(house);
  });

  it("remove while questions are asked and answered: they end, and leave no trace", async () => {
    const house = await slowHouse();
    const { service, clock, engine, store } = house;
    const asked: Promise<unknown>[] = [];
    const statuses: string[] = [];
    const ask = (tick?: number) => {
      const at = tick === undefined ? now : { kind: "tick" as const, tick };
      const answering = service.ask("cam", { question: "What is there?", at });
      asked.push(answering.then(({ status }) => statuses.push(status), ({ code }) => statuses.push(code)));
    };
    for (let count = 0; count < 4; count++) {
      ask();
      ask(3);
      await clock.advance(35);
    }
    const snapped = service.takeSnapshot("cam").catch(({ code }) => code);
    const removed = service.remove("cam");
    ask();
    await settle();
    ask(2);
    expect((await passUntil(house, removed)).status).toBe("fulfilled");
    await Promise.all(asked);
    await snapped;
    expect(statuses.filter((status) => status === "cancelled").length).toBeGreaterThanOrEqual(6);
    expect(statuses.at(-1)).toMatch(/cancelled|not_ready/);
    await clock.advance(10_000);
    expect([engine.states_open, store.names(), store.loadStreams()]).toEqual([0, [], []]);
    await expectNothingLeft(house);
  });

  it("questions during a change wait for it, and are answered from the same memory", async () => {
    const house = await slowHouse();
    const { service, clock, store } = house;
    const changed = service.change("cam", { speak_threshold: 0.9 });
    const asked: Promise<{ status: string; tick: number }>[] = [];
    for (let count = 0; count < 30; count++) {
      asked.push(service.ask("cam", { question: "What is there?", at: now }));
      asked.push(service.ask("cam", { question: "What was there?", at: { kind: "tick", tick: 4 } }));
      asked.push(service.takeSnapshot("cam").then(({ tick }) => ({ status: "done", tick })));
      expect(service.get("cam").id).toBe("cam");
      service.picture("cam");
      await clock.advance(9);
    }
    expect((await passUntil(house, changed)).status).toBe("fulfilled");
    await clock.advance(30_000);
    const ticks = new Set(store.history.map(({ tick }) => tick));
    for (const { status, tick } of await Promise.all(asked)) {
      expect(status).toBe("done");
      expect(ticks.has(tick)).toBe(true);
    }
    await expectNothingLeft(house);
  });

  it("a question during a change ends at its deadline, or when its asker leaves", async () => {
    const house = await slowHouse();
    const { service, clock, store } = house;
    store.write_ms = 10_000;
    const changed = service.change("cam", { speak_threshold: 0.9 });
    await clock.advance(1_000);
    const left = new AbortController();
    const late = service.ask("cam", { question: "What is there?", at: now, deadline_ms: 500 });
    const gone = service.ask("cam", { question: "What is there?", at: now, signal: left.signal });
    await clock.advance(600);
    left.abort();
    expect([(await late).status, (await gone).status]).toEqual(["deadline", "cancelled"]);
    expect((await passUntil(house, changed)).status).toBe("fulfilled");
    await expectNothingLeft(house);
  });

  it("close while a stream is added, another removed, a third asked", async () => {
    const house = await slowHouse();
    const { service, clock, store } = house;
    const other = { id: "other", name: "Other", source: { kind: "pull" as const, url: "other" } };
    await passUntil(house, service.add({ ...other, id: "leaving" }));
    const added = service.add(other);
    const removed = service.remove("leaving");
    const asked = service.ask("cam", { question: "What is there?", at: now });
    await clock.advance(15);
    const closed = service.close();
    await expect(service.add({ ...other, id: "late" })).rejects.toMatchObject({ code: "not_ready" });
    const paused = await passUntil(house, service.pause("cam"));
    expect(paused).toMatchObject({ status: "rejected", reason: { code: "not_ready" } });
    expect(service.ready).toBe(false);
    expect((await passUntil(house, Promise.all([added, removed, closed]))).status).toBe("fulfilled");
    expect((await asked).status).toBe("cancelled");
    expect(store.loadStreams().map(({ id }) => id)).toEqual(["cam", "other"]);
    await expectNothingLeft(house);
  });

  it("close while the streams are being opened", async () => {
    const before = await slowHouse();
    const { clock, store } = before;
    const other = { id: "other", name: "Other", source: { kind: "pull" as const, url: "other" } };
    await passUntil(before, before.service.add(other));
    before.engine.step_ms = 0;
    await shutDown(before);
    const camera = () => new ScriptedSource({ clock, replayable: false });
    const house = makeHouse({ clock, store, pulls: { cam: camera, other: camera } });
    store.read_ms = 500;
    const opened = house.service.open();
    await clock.advance(100);
    const closed = house.service.close();
    expect((await passUntil(house, Promise.all([opened, closed]))).status).toBe("fulfilled");
    expect([house.engine.states_open, clock.sleeping_count, house.service.ready]).toEqual([0, 0, false]);
  });

  it("close while the disk is full, a tick fails, and the source is away", async () => {
    for (const trouble of ["disk", "tick", "source"]) {
      const house = await slowHouse();
      if (trouble === "disk") house.store.disk_full = true;
      if (trouble === "tick") house.engine.fail_next = new Error("device lost");
      if (trouble === "source") house.vision.fail_next = new Error("no picture");
      await house.clock.advance(trouble === "disk" ? 1_500 : 450);
      await expectNothingLeft(house);
    }
  });

  it("anything, in any order: nothing hangs or leaks, and every caption has its number", async () => {
    const act = fc.record({
      wait_ms: fc.integer({ min: 0, max: 400 }),
      what: fc.constantFrom(
        ...["pause", "resume", "change", "rate", "ask", "past", "leave", "snapshot", "engine", "vision"],
        ...["full", "room", "remove", "add", "rename"],
      ),
    });
    await hold(60, fc.array(act, { minLength: 1, maxLength: 30 }), async (script) => {
      const house = await slowHouse();
      const { service, engine, vision, store, clock } = house;
      const pending: Promise<unknown>[] = [];
      let leaving = new AbortController();
      const question = { question: "What is there?", at: now, deadline_ms: 3_000 };
      const acts: Record<string, () => Promise<unknown> | void> = {
        pause: () => service.pause("cam"),
        resume: () => service.resume("cam"),
        change: () => service.change("cam", { gates: { change: script.length % 2 === 0 } }),
        rate: () => service.change("cam", { tick_rate_hz: 1 + script.length % 3 }),
        rename: () => service.change("cam", { name: "Another" }),
        ask: () => service.ask("cam", { ...question, signal: leaving.signal }),
        past: () => service.ask("cam", { ...question, at: { kind: "tick", tick: 4 } }),
        snapshot: () => service.takeSnapshot("cam"),
        remove: () => service.remove("cam"),
        add: () => service.add({ id: "cam", name: "Cam", source: { kind: "pull", url: "cam" } }),
        leave: () => {
          leaving.abort();
          leaving = new AbortController();
        },
        engine: () => void (engine.fail_next = new Error("device lost")),
        vision: () => void (vision.fail_next = new Error("no picture")),
        full: () => void (store.disk_full = true),
        room: () => void (store.disk_full = false),
      };
      for (const { wait_ms, what } of script) {
        const done = acts[what]!();
        // Refusals are fine here, as long as each has a code; a bug has none.
        if (done) {
          pending.push(done.catch((error) => expect(error.code ?? error.message).toMatch(/^[a-z_]+$|lost/)));
        }
        await clock.advance(wait_ms);
      }
      store.disk_full = false;
      expect((await passUntil(house, Promise.all(pending))).status).toBe("fulfilled");
      await clock.advance(5_000);
      expect(engine.states_open).toBe(service.list().length);
      expect(store.names()).toEqual(service.list().map(({ id }) => id));
      await expectNothingLeft(house);
    });
  });
});
