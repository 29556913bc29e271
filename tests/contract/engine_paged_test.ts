// The contract on a paged engine with fewer slots than states: nobody may be able to tell. And the laws of paging itself: who
// goes, what stays with a state, what happens when the disk is full, ten thousand states.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { openEngine } from "../../ffi/mod.ts";
import { FakeEngine } from "../../src/pipeline/fake_engine.ts";
import { PagedEngine } from "../../src/pipeline/paged_engine.ts";
import type { Engine, EngineState } from "../../src/pipeline/ports.ts";
import { PageFile } from "../../src/store/mod.ts";
import { library_path, not_built } from "../native/built.ts";
import { withTinyModel } from "../native/tiny_model.ts";
import { engineContract } from "./engine_contract.ts";
import { codeOf, decode, feed, some, toEdge } from "./engine_rig.ts";

/** `slots` of the engine below, and a page file that is closed with it. */
function paged(below: Engine & { close?(): Promise<void> }, states_max: number) {
  const folder = Deno.makeTempDirSync();
  const pages = new PageFile(folder, below.info.blob_bytes);
  Deno.removeSync(folder); // empty: the file has no name
  const engine = new PagedEngine(below, pages, states_max);
  const close = async () => {
    await below.close?.();
    pages[Symbol.dispose]();
  };
  return Object.assign(engine, { close, pages_used: () => pages.count });
}

const slotsFor = (states_max: number) => Math.min(4, states_max);

engineContract(
  "fake, paged",
  ({ states_max }) => paged(new FakeEngine(slotsFor(states_max)), states_max),
);
engineContract(
  "cpu, paged",
  async ({ states_max }) => {
    const below = await withTinyModel((weights_path) =>
      openEngine({
        ...{ library_path, device: "cpu", weights_path, threads: 1 } as const,
        states_max: slotsFor(states_max),
      })
    );
    return paged(below, states_max);
  },
  not_built,
);

describe("paging", () => {
  it("does not change what any state says, whatever is done in whatever order", async () => {
    const step = fc.record({
      who: fc.nat(9),
      what: fc.constantFrom("feed", "decode", "fork", "reset", "copy", "close"),
      seed: fc.nat(30),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const engine = paged(new FakeEngine(3), 10);
        const said = await play(engine, steps), plain = await play(new FakeEngine(10), steps);
        await engine.close();
        expect(said).toEqual(plain);
      }),
      { numRuns: 60 },
    );
  });

  it("pages out who was not used for longest, and brings it back with its settings and results", async () => {
    const engine = paged(new FakeEngine(2), 5);
    const first = engine.open(), second = engine.open();
    first.setStops([7]);
    await feed(engine, first, some(5));
    first.putDecode({ tokens_max: 3, seed: 1n, silence: { token: 0, threshold: 0 } });
    await toEdge(engine, first);
    await feed(engine, second, some(5, 2));
    const third = engine.open();
    expect(engine.counts).toMatchObject({ resident: 2, paged_out: 1, page_outs: 1, page_ins: 0 });
    expect(first.readDecision().decisions).toBe(1);
    expect(first.takeTokens().length).toBeGreaterThan(0);
    expect(first.takeTokens()).toEqual([]);
    await feed(engine, first, [3]);
    expect(engine.counts).toMatchObject({ resident: 2, paged_out: 1, page_outs: 2, page_ins: 1 });
    for (const state of [first, second, third]) state.close();
    expect(engine.counts).toMatchObject({ resident: 0, paged_out: 0 });
    expect(engine.pages_used()).toBe(0);
    await engine.close();
  });

  it("refuses when every state in use has work, and when all states are taken", async () => {
    const engine = paged(new FakeEngine(2), 3);
    const [first, second] = [engine.open(), engine.open()];
    first.putTokens([1]), second.putTokens([1]);
    expect(codeOf(() => engine.open())).toBe("full");
    await toEdge(engine, first, second);
    engine.open();
    expect(codeOf(() => engine.open())).toBe("full");
    expect(codeOf(() => first.fork())).toBe("full");
    await engine.close();
  });

  it("keeps a state where it is when the page cannot be written", async () => {
    const below = new FakeEngine(1);
    const full = () => {
      throw Object.assign(new Error("the disk is full"), { code: "disk_full" });
    };
    const engine = new PagedEngine(below, { write: full, read: full, free: full }, 5);
    const state = engine.open();
    await feed(engine, state, some(9));
    const before = [...state.readLogits()];
    expect(codeOf(() => engine.open())).toBe("disk_full");
    expect([...state.readLogits()]).toEqual(before);
    state.close();
  });

  it.unless(not_built, "holds ten thousand states in the memory of sixteen", async () => {
    const below = await withTinyModel((weights_path) =>
      openEngine({ library_path, device: "cpu", weights_path, states_max: 16, threads: 1 })
    );
    const engine = paged(below, 10_000);
    const resident_before = Deno.memoryUsage().rss;
    const states: EngineState[] = [];
    for (let index = 0; index < 10_000; index++) {
      const state = engine.open();
      await feed(engine, state, [1 + index % 30]);
      states.push(state);
    }
    expect(engine.counts).toMatchObject({ resident: 16, paged_out: 9_984 });
    // All of them in memory would be this much; a tenth of it is the bar.
    const all_bytes = 10_000 * engine.info.state_bytes;
    expect(Deno.memoryUsage().rss - resident_before).toBeLessThan(Math.max(all_bytes / 10, 128e6));
    // The oldest, one in the middle and the newest go on like a state that never left.
    states.pop()!.close();
    for (const index of [0, 4_999, 9_998]) {
      using fresh = engine.open();
      await feed(engine, fresh, [1 + index % 30]);
      const expected = await decode(engine, fresh, 5, 9n);
      expect(await decode(engine, states[index]!, 5, 9n)).toEqual(expected);
    }
    for (const state of states) state.close();
    expect(engine.pages_used()).toBe(0);
    await engine.close();
  });
});

interface Step {
  who: number;
  what: "feed" | "decode" | "fork" | "reset" | "copy" | "close";
  seed: number;
}

/** What came out, in order. Errors are results too. */
async function play(engine: Engine, steps: readonly Step[]): Promise<unknown[]> {
  const states: EngineState[] = [engine.open(), engine.open()];
  const out: unknown[] = [];
  for (const { who, what, seed } of steps) {
    const state = states[who % states.length]!;
    try {
      if (what === "feed") await feed(engine, state, some(1 + seed, seed));
      if (what === "decode") out.push(await decode(engine, state, 1 + seed % 5, BigInt(seed)));
      if (what === "fork") states.push(state.fork());
      if (what === "reset") state.reset();
      if (what === "copy") states[seed % states.length]!.importBlob(state.exportBlob());
      if (what === "close" && states.length > 1) {
        state.close();
        states.splice(states.indexOf(state), 1);
      }
      if (states.includes(state) && state.pending === 0) out.push([...state.exportBlob()].slice(0, 16));
    } catch (error) {
      out.push((error as { code?: string }).code);
    }
  }
  for (const state of states) state.close();
  return out;
}
