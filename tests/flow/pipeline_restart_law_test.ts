// The restart law: pull the plug at any moment, as often as you like, and nothing that was written down changes: the
// same captions, the same numbers, the same memory as without.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { ManualClock, settle } from "./manual_clock.ts";
import { MemoryStore } from "./memory_store.ts";
import { captionsOf, type House, makeHouse, stateOf, wordsOf } from "./pipeline_fixture.ts";
import { hold } from "./pipeline_law.ts";
import { restingPictureAt, ScriptedSource } from "./pipeline_sources.ts";

const frames = 80;

/** Counts the moments at which the plug could be pulled, and pulls it at one of them. */
class Plug {
  count = 0;
  constructor(readonly at: number, readonly pull: () => void) {}

  readonly reach = (): void => {
    if (this.count++ === this.at) this.pull();
  };
}

interface Run {
  house: House;
  /** What was on disk when the plug was pulled; undefined when the recording came to its end first. */
  left: MemoryStore | undefined;
  moments: number;
  /** Numbers of the captions that viewers had seen when the plug was pulled. */
  shown: number[];
}

/** Plays the recording from where the store says it was, until the end or until moment `plug_at`. */
async function play(store: MemoryStore, clock: ManualClock, plug_at = Infinity): Promise<Run> {
  let left: MemoryStore | undefined;
  const source = new ScriptedSource({
    clock,
    frames,
    onFrame: () => plug.reach(),
    // The first picture is black: a memory that has seen nothing must not take it for one it has seen.
    picture: (index) => index === 0 ? new Uint8Array(restingPictureAt(0).length) : restingPictureAt(index),
  });
  const shown: number[] = [];
  const plug = new Plug(plug_at, () => {
    left = store.clone(clock);
    source.dead = true;
    for (const event of house.events) if (event.type === "caption.final") shown.push(event.caption.seq);
  });
  const house = makeHouse({ clock, store, pulls: { cam: () => source } });
  store.onOperation = plug.reach;
  house.vision.onEncode = () => plug.reach();
  const run = house.engine.run.bind(house.engine);
  house.engine.run = async () => {
    plug.reach();
    await run();
    plug.reach();
  };
  await house.service.open();
  if (house.service.list().length === 0) {
    await house.service.add({
      id: "cam",
      name: "Cam",
      source: { kind: "pull", url: "cam" },
      pace: "lossless",
    });
  }
  for (let waits = 0; waits < 50 && source.running_count > 0 && !source.dead; waits++) {
    await clock.advance(50);
  }
  return { house, left, moments: plug.count, shown };
}

async function resultOf(house: House) {
  expect(house.service.get("cam").status).toBe("ended");
  const captions = captionsOf(house);
  const state = await stateOf(house);
  await house.service.close();
  expect(house.engine.states_open).toBe(0);
  return { captions: wordsOf(captions), state };
}

/** With the plug pulled at each of `moments`, one after the other. */
async function playWithCuts(moments: readonly number[], cut?: (left: MemoryStore) => void) {
  const clock = new ManualClock();
  let store = new MemoryStore(clock);
  const seen: number[] = [];
  for (const moment of moments) {
    const { house, left, shown } = await play(store, clock, moment);
    seen.push(...shown);
    if (!left) return { house, seen };
    // Nothing is shown that is not on disk.
    expect(Math.max(0, ...shown)).toBeLessThanOrEqual(left.lastSeq("cam"));
    // The process is gone: whatever it still does reaches neither the disk that is left nor the one who comes after.
    await settle();
    await house.service.close();
    cut?.(left);
    store = left;
  }
  const { house } = await play(store, clock);
  return { house, seen };
}

describe("restart law", () => {
  it("the recording has everything in it that could go wrong", async () => {
    const { house, moments } = await play(new MemoryStore(), new ManualClock());
    const { stats } = house.service.get("cam");
    expect(moments).toBeGreaterThan(500);
    expect(stats.drops.still).toBeGreaterThan(5);
    expect(stats.captions).toBeGreaterThan(10);
    expect(stats.snapshots).toBeGreaterThan(5);
    await house.service.close();
  });

  it("cut anywhere, as often as you like: captions, numbers and memory are those of one run", async () => {
    const whole = await resultOf((await play(new MemoryStore(), new ManualClock())).house);
    expect(whole.captions.map(({ seq }) => seq)).toEqual(whole.captions.map((_, index) => index + 1));
    const cuts = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 5 });
    await hold(60, cuts, async (moments) => {
      const { house } = await playWithCuts(moments);
      expect(await resultOf(house)).toEqual(whole);
    });
  });

  it("cut at each moment of the first ticks", async () => {
    const whole = await resultOf((await play(new MemoryStore(), new ManualClock())).house);
    for (let moment = 0; moment < 60; moment++) {
      const { house } = await playWithCuts([moment]);
      expect(await resultOf(house)).toEqual(whole);
    }
  });

  it("with the newest snapshot damaged by the last cut, the same", async () => {
    const whole = await resultOf((await play(new MemoryStore(), new ManualClock())).house);
    let damaged_count = 0;
    const cuts = fc.tuple(
      fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 2 }),
      fc.integer({ min: 100, max: 500 }),
    );
    await hold(40, cuts, async ([before, last]) => {
      const moments = [...before, last];
      let cut_count = 0;
      const { house } = await playWithCuts(moments, (left) => {
        if (++cut_count < moments.length || left.listSnapshots("cam").length < 2) return;
        left.damage("cam");
        damaged_count++;
      });
      expect(await resultOf(house)).toEqual(whole);
    });
    expect(damaged_count).toBeGreaterThan(20);
  });

  it("no caption is shown twice, and none before it is on disk", async () => {
    await hold(
      20,
      fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 4 }),
      async (moments) => {
        const { house, seen } = await playWithCuts(moments);
        expect(new Set(seen).size).toBe(seen.length);
        await house.service.close();
      },
    );
  });

  it("a stop in good order goes on the same way, with no tick fed again", async () => {
    const whole = await resultOf((await play(new MemoryStore(), new ManualClock())).house);
    const clock = new ManualClock();
    const store = new MemoryStore(clock);
    const first = await play(store, clock, 200);
    await first.house.service.close();
    const { tick } = store.listSnapshots("cam")[0]!;
    expect(store.ticksAfter("cam", tick)).toEqual([]);
    expect(await resultOf((await play(store, clock)).house)).toEqual(whole);
  });
});
