// The fork law and the restart law for memories that are made anew: questions never change what is said, and whatever
// is pulled out of the wall, captions, numbers and memory are those of one run.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { GanderError } from "../../src/errors.ts";
import { limits } from "../../src/pipeline/limits.ts";
import { ManualClock, settle } from "./manual_clock.ts";
import { MemoryStore } from "./memory_store.ts";
import { captionsOf, type House, makeHouse, stateOf, wordsOf } from "./pipeline_fixture.ts";
import { hold } from "./pipeline_law.ts";
import { type AskedPolicy, refreshPolicy } from "./pipeline_refresh_house.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

const frames = 60;
/** Three pictures at once: what the newest state is made of reaches two rebuilds back. */
const policyOf = () => refreshPolicy({ cadence_s: 1 }, 3);

interface Play {
  store?: MemoryStore;
  clock?: ManualClock;
  /** Before each frame. */
  onFrame?: (index: number, house: House) => void;
  /** At every moment at which a plug could be pulled; true when it was. */
  reach?: () => boolean;
}

async function play(
  { clock = new ManualClock(), store = new MemoryStore(clock), onFrame, reach }: Play = {},
) {
  const touch = () => {
    if (reach?.()) source.dead = true;
  };
  const source = new ScriptedSource({
    clock,
    frames,
    onFrame: (index) => {
      touch();
      onFrame?.(index, house);
    },
  });
  const policy: AskedPolicy = policyOf();
  const house: House = makeHouse({ clock, store, policy, pulls: { cam: () => source } });
  store.onOperation = touch;
  house.vision.onEncode = touch;
  const run = house.engine.run.bind(house.engine);
  house.engine.run = async () => {
    touch();
    await run();
    touch();
  };
  await house.service.open();
  if (house.service.list().length === 0) {
    const pull = { kind: "pull" as const, url: "cam" };
    await house.service.add({ id: "cam", name: "Cam", source: pull, pace: "lossless" });
  }
  for (let waits = 0; waits < 60 && source.running_count > 0 && !source.dead; waits++) {
    await clock.advance(50);
  }
  return { house, policy, source };
}

async function resultOf({ house }: { house: House }) {
  for (let waits = 0; waits < 40 && house.service.get("cam").status !== "ended"; waits++) {
    await house.clock.advance(limits.restart_ms_max);
  }
  expect(house.service.get("cam").reason).toBe("the recording is over");
  const result = { captions: wordsOf(captionsOf(house)), state: await stateOf(house) };
  await house.service.close();
  expect(house.engine.states_open).toBe(0);
  return result;
}

describe("fork law of policy refresh", () => {
  it("questions at any moments, about any moments, cancelled or not, leave all as it is without them", async () => {
    const alone = await play();
    const asked_alone = alone.policy.asked.map(({ text }) => text);
    const whole = await resultOf(alone);
    expect(whole.captions.length).toBeGreaterThan(5);
    const question = fc.record({
      frame: fc.nat(frames - 1),
      tick: fc.option(fc.nat(frames), { nil: undefined }),
      cancelled: fc.boolean(),
    });
    let answered_count = 0;
    await hold(20, fc.array(question, { minLength: 1, maxLength: 50 }), async (questions) => {
      const answers: Promise<unknown>[] = [];
      const played = await play({
        onFrame: (index, { service }) => {
          for (const { frame, tick, cancelled } of questions) {
            if (frame !== index) continue;
            const left = new AbortController();
            const at = tick === undefined ? { kind: "now" as const } : { kind: "tick" as const, tick };
            const request = { question: `And ${answers.length}?`, at, signal: left.signal };
            answers.push(
              service.ask("cam", request).then(({ status }) => {
                if (status === "done") answered_count++;
              }, (error) => void expect(error.code).toBe("moment_unknown")),
            );
            if (cancelled) queueMicrotask(() => left.abort());
          }
        },
      });
      await Promise.all(answers);
      expect(played.house.engine.states_open).toBe(2);
      expect(played.policy.asked.map(({ text }) => text)).toEqual(asked_alone);
      expect(await resultOf(played)).toEqual(whole);
    });
    expect(answered_count).toBeGreaterThan(50);
  });
});

describe("restart law of policy refresh", () => {
  /** With the plug pulled at each of `moments`, one after the other. */
  const playWithCuts = async (moments: readonly number[], cut?: (left: MemoryStore) => void) => {
    const clock = new ManualClock();
    let store = new MemoryStore(clock);
    for (const moment of moments) {
      let count = 0;
      let left: MemoryStore | undefined;
      const reach = () => {
        if (count++ === moment) left = store.clone(clock);
        return left !== undefined;
      };
      const { house } = await play({ clock, store, reach });
      if (!left) return { house };
      // The process is gone: whatever it still does does not reach the disk that is left.
      await settle();
      await house.service.close();
      cut?.(left);
      store = left;
    }
    return { house: (await play({ clock, store })).house };
  };

  it("cut anywhere, as often as you like: captions, numbers and memory are those of one run", async () => {
    const whole = await resultOf(await play());
    expect(whole.captions.map(({ seq }) => seq)).toEqual(whole.captions.map((_, index) => index + 1));
    await hold(40, fc.array(fc.nat(700), { minLength: 1, maxLength: 4 }), async (moments) => {
      expect(await resultOf(await playWithCuts(moments))).toEqual(whole);
    });
  });

  it("with the newest snapshot damaged, too", async () => {
    const whole = await resultOf(await play());
    let damaged_count = 0;
    await hold(25, fc.integer({ min: 60, max: 700 }), async (moment) => {
      const played = await playWithCuts([moment], (left) => {
        if (left.listSnapshots("cam").length < 2) return;
        left.damage("cam");
        damaged_count++;
      });
      expect(await resultOf(played)).toEqual(whole);
    });
    expect(damaged_count).toBeGreaterThan(10);
  });

  it("a stop in good order goes on the same way, the pictures of before included", async () => {
    const whole = await resultOf(await play());
    for (const stop_at of [1, 7, 20, 33]) {
      const clock = new ManualClock();
      const store = new MemoryStore(clock);
      let closed: Promise<void> | undefined;
      const first = await play({
        clock,
        store,
        onFrame: (index, { service }) => {
          if (index === stop_at) closed ??= service.close();
        },
      });
      await clock.advance(1_000);
      await closed;
      expect(first.house.engine.states_open).toBe(0);
      expect(await resultOf(await play({ clock, store }))).toEqual(whole);
    }
  });

  for (const fault of ["engine", "vision", "store"] as const) {
    it(`a tick that fails (${fault}) is done again, and nothing differs afterwards`, async () => {
      const whole = await resultOf(await play());
      let broken = false;
      const played = await play({
        onFrame: (index, { engine, vision, store }) => {
          if (index !== 16 || broken) return;
          broken = true;
          if (fault === "engine") engine.fail_next = new Error("device lost");
          if (fault === "vision") vision.fail_next = new Error("no picture");
          if (fault !== "store") return;
          store.commit_error = new GanderError("store_failed", "Cannot commit: a fault");
          store.commit_errors_left = 1;
        },
      });
      const { drops } = played.house.service.get("cam").stats;
      expect(drops.failed).toBeGreaterThan(0);
      // The memory of before the tick was never touched: whoever asks meanwhile is answered.
      const { status } = await played.house.service.ask("cam", { question: "And now?", at: { kind: "now" } });
      expect(status).toBe("done");
      expect(await resultOf(played)).toEqual(whole);
    });
  }
});
