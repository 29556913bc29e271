// Questions: which memory they are asked of, what they are shown beside, and that they always give back what they took.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { limits } from "../../src/pipeline/limits.ts";
import type { Moment, QuestionRequest } from "../../src/pipeline/surface.ts";
import { ManualClock, settle } from "./manual_clock.ts";
import { type House, openCam, shutDown } from "./pipeline_fixture.ts";
import { hold } from "./pipeline_law.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

const now: Moment = { kind: "now" };

/** A recording of 30 seconds, played to its end. */
async function recorded(frames = 60): Promise<House> {
  const clock = new ManualClock();
  const house = await openCam(() => new ScriptedSource({ clock, frames, wall_ms: 170 }), { clock });
  await settle();
  return house;
}

async function live(): Promise<House> {
  const clock = new ManualClock();
  const house = await openCam(() => new ScriptedSource({ clock, replayable: false }), {
    clock,
    pace: "live",
  });
  await clock.advance(5_000);
  return house;
}

function ask({ service }: House, request: Partial<QuestionRequest> = {}) {
  return service.ask("cam", { question: "What is there?", at: now, ...request });
}

/** What is returned to its owner: one state per stream, no slot, no timer but the report's. */
function expectAllGivenBack({ engine, service, clock }: House): void {
  expect(engine.states_open).toBe(service.list().length);
  expect(service.get("cam").stats.questions_active).toBe(0);
  expect(clock.sleeping_count).toBeLessThanOrEqual(2);
}

describe("questions about the past", () => {
  it("are answered from the newest snapshot at or before the moment, by tick, media or wall time", async () => {
    const house = await recorded();
    const heads = house.service.snapshots("cam");
    const last = house.store.ticks("cam").at(-1)!;
    expect(heads.length).toBeGreaterThan(10);
    const beginning_wall_ms = heads.at(-1)!.t_wall_ms;
    const keys = { tick: "tick", media: "t_media_ms", wall: "t_wall_ms" } as const;
    const input = fc.record({
      kind: fc.constantFrom<"tick" | "media" | "wall">("tick", "media", "wall"),
      seconds: fc.double({ min: 0, max: 33, noNaN: true }),
      exactly: fc.option(fc.nat(heads.length - 1), { nil: undefined }),
    });
    await hold(120, input, async ({ kind, seconds, exactly }) => {
      const key = keys[kind];
      const value = exactly !== undefined ? heads[exactly]![key] : {
        tick: Math.floor(seconds * 2),
        media: seconds * 1_000,
        wall: last.t_wall_ms - 30_000 + seconds * 1_000,
      }[
        kind
      ];
      const at = { kind, [key]: value } as unknown as Moment;
      // The newest tick of all is "now", snapshot or not.
      const stands = [last, ...heads].filter((one) => one[key] <= value).map(({ tick }) => tick);
      if (stands.length === 0) {
        await expect(ask(house, { at })).rejects.toMatchObject({ code: "moment_unknown" });
      } else {
        const expected = value >= last[key] ? last.tick : Math.max(...stands);
        expect((await ask(house, { at })).tick).toBe(expected);
      }
    });
    expect(beginning_wall_ms).toBeGreaterThan(0);
    expectAllGivenBack(house);
    await shutDown(house);
  });

  it("a moment that is this very tick is answered from now, not from an older snapshot", async () => {
    const house = await live();
    await house.clock.advance(1_500);
    const { tick, t_media_ms, t_wall_ms } = house.store.ticks("cam").at(-1)!;
    expect(house.service.snapshots("cam")[0]!.tick).toBeLessThan(tick);
    for (const at of [{ kind: "tick", tick }, { kind: "media", t_media_ms }, { kind: "wall", t_wall_ms }]) {
      expect((await ask(house, { at: at as Moment })).tick).toBe(tick);
    }
    await shutDown(house);
  });

  it("the same memory gives the same answer then and later", async () => {
    const house = await live();
    const head = await house.service.takeSnapshot("cam");
    const then = await ask(house);
    await house.clock.advance(20_000);
    const later = await ask(house, { at: { kind: "tick", tick: head.tick } });
    const today = await ask(house);
    expect([later.answer, later.tick, later.t_wall_ms]).toEqual([then.answer, then.tick, then.t_wall_ms]);
    expect(today.tick).toBeGreaterThan(then.tick);
    await shutDown(house);
  });

  it("before the beginning: moment_unknown, with the oldest moment there is", async () => {
    const house = await recorded();
    const wall = ask(house, { at: { kind: "wall", t_wall_ms: 5 } });
    await expect(wall).rejects.toMatchObject({
      code: "moment_unknown",
      message: expect.stringContaining("the oldest snapshot is tick 0"),
    });
    await expect(ask(house, { at: { kind: "media", t_media_ms: -1 } })).rejects.toThrow("about -0.0 s");
    expectAllGivenBack(house);
    await shutDown(house);
  });

  it("a damaged snapshot is passed over, and one of another model is none", async () => {
    const house = await recorded();
    const [, second, third] = house.service.snapshots("cam");
    house.store.damage("cam", second!.tick);
    expect((await ask(house, { at: { kind: "tick", tick: second!.tick } })).tick).toBe(third!.tick);
    const foreign = { ...third!, model_hash: "b".repeat(64) };
    await house.store.writeSnapshot(foreign, new Uint8Array(20));
    const { tick } = await ask(house, { at: { kind: "tick", tick: third!.tick } });
    expect(tick).toBeLessThan(third!.tick);
    expectAllGivenBack(house);
    await shutDown(house);
  });

  it("evidence is what had been said by then, oldest first", async () => {
    const house = await recorded();
    const captions = house.service.captions("cam", { limit: 100 });
    const head = house.service.snapshots("cam").find(({ seq }) => seq === 6)!;
    const { evidence } = await ask(house, { at: { kind: "tick", tick: head.tick } });
    expect(evidence.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6]);
    expect((await ask(house)).evidence).toEqual(captions.slice(-limits.evidence_captions));
    await shutDown(house);
  });
});

describe("questions", () => {
  it("are kept with what they were about, newest first; nobody else hears of them", async () => {
    const house = await live();
    house.events.length = 0;
    const heard: string[] = [];
    const first = await ask(house, { question: "  What is there? ", onText: (text) => heard.push(text) });
    const second = await ask(house, { question: "And now?" });
    expect(first).toMatchObject({ stream: "cam", question: "What is there?", status: "done" });
    expect(heard.at(-1)).toBe(first.answer);
    expect(house.service.answers("cam", 10).map(({ id }) => id)).toEqual([second.id, first.id]);
    expect(house.events).toEqual([]);
    await shutDown(house);
  });

  it("of a paused stream, and of one whose source ended, are answered", async () => {
    const house = await live();
    await house.service.pause("cam");
    expect((await ask(house)).status).toBe("done");
    await shutDown(house);
    const ended = await recorded(4);
    expect(ended.service.get("cam").status).toBe("ended");
    expect((await ask(ended)).status).toBe("done");
    await shutDown(ended);
  });

  it("that are empty, or of nobody, are refused and take no slot", async () => {
    const house = await live();
    await expect(ask(house, { question: " " })).rejects.toMatchObject({ code: "question_invalid" });
    await expect(house.service.ask("nobody", { question: "Hm?", at: now })).rejects.toMatchObject({
      code: "stream_unknown",
    });
    expectAllGivenBack(house);
    await shutDown(house);
  });

  it("over the bound are refused at once; every way to end one gives its slot back", async () => {
    const house = await live();
    const { engine, clock, service } = house;
    const bound = limits.questions_active_max;
    let left = new AbortController();
    const rounds: (() => void)[] = [
      () => {},
      () => left.abort(),
      () => engine.fail_next = new Error("device lost"),
    ];
    await service.pause("cam");
    for (const [round, end] of rounds.entries()) {
      engine.step_ms = 300;
      left = new AbortController();
      const deadline_ms = round === 0 ? 700 : undefined;
      const asked = Array.from({ length: bound }, () => ask(house, { deadline_ms, signal: left.signal }));
      const ended = Promise.allSettled(asked);
      await expect(ask(house)).rejects.toMatchObject({ code: "questions_full", retry: "backoff" });
      expect(service.get("cam").stats.questions_active).toBe(bound);
      await clock.advance(400);
      expect(engine.states_open).toBe(1 + bound);
      await expect(ask(house)).rejects.toMatchObject({ code: "questions_full" });
      end();
      await clock.advance(1_000);
      engine.step_ms = 0;
      await clock.advance(1_000);
      const statuses = (await ended).map((one) => one.status === "fulfilled" ? one.value.status : "rejected");
      expect(new Set(statuses)).toEqual(new Set([["deadline", "cancelled", "rejected"][round]]));
      expectAllGivenBack(house);
    }
    expect((await ask(house)).status).toBe("done");
    await shutDown(house);
  });

  it("are answered side by side, without a limit on how they overlap", async () => {
    const acts = fc.array(
      fc.record({
        wait_ms: fc.integer({ min: 0, max: 900 }),
        deadline_ms: fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined }),
        cancel_ms: fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined }),
        at: fc.constantFrom<Moment>(now, { kind: "tick", tick: 3 }, { kind: "media", t_media_ms: 2_200 }),
      }),
      { maxLength: 25 },
    );
    await hold(25, acts, async (script) => {
      const house = await live();
      house.engine.step_ms = 30;
      house.store.read_ms = 45;
      const asked = [];
      for (const { wait_ms, deadline_ms, cancel_ms, at } of script) {
        const left = new AbortController();
        if (cancel_ms !== undefined) void house.clock.sleep(cancel_ms).then(() => left.abort());
        asked.push(ask(house, { deadline_ms, at, signal: left.signal }));
        await house.clock.advance(wait_ms);
      }
      await house.clock.advance(60_000);
      for (const { status } of await Promise.all(asked)) {
        expect(["done", "deadline", "cancelled"]).toContain(status);
      }
      expect(house.service.answers("cam", 100).length).toBe(script.length);
      const paused = house.service.pause("cam");
      await house.clock.advance(5_000);
      await paused;
      expectAllGivenBack(house);
      await shutDown(house);
    });
  });

  it("whose asker leaves while the fork waits for the tick's edge never take a state", async () => {
    const house = await live();
    const { engine, clock } = house;
    engine.step_ms = 100;
    await clock.advance(1_050);
    const left = new AbortController();
    const asked = ask(house, { signal: left.signal });
    await clock.advance(10);
    expect(engine.states_open).toBe(1);
    left.abort();
    await clock.advance(0);
    expect(await asked).toMatchObject({ status: "cancelled", answer: "" });
    await clock.advance(5_000);
    expect(engine.states_open).toBe(1);
    await shutDown(house);
  });

  it("find no free state: refused, and nothing leaks", async () => {
    const house = await live();
    const others = [];
    while (house.engine.states_open < house.engine.info.states_max) others.push(house.engine.open());
    await expect(ask(house)).rejects.toMatchObject({ code: "full" });
    await expect(ask(house, { at: { kind: "tick", tick: 2 } })).rejects.toMatchObject({ code: "full" });
    for (const state of others) state.close();
    expectAllGivenBack(house);
    expect((await ask(house)).status).toBe("done");
    await shutDown(house);
  });
});
