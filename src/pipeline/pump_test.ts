import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { ManualClock, settle } from "../../tests/flow/manual_clock.ts";
import { hold } from "../../tests/flow/pipeline_law.ts";
import { FakeEngine } from "./fake_engine.ts";
import type { ChosenToken, EngineState } from "./ports.ts";
import { Pump } from "./pump.ts";

/** Says whether two runs ever overlapped, and waits for the test when told to. */
class WatchedEngine extends FakeEngine {
  runs = 0;
  overlapped = false;
  gate: Promise<void> | undefined;
  #running = false;

  override async run(): Promise<void> {
    this.overlapped ||= this.#running;
    this.#running = true;
    this.runs++;
    try {
      await this.gate;
      await super.run();
    } finally {
      this.#running = false;
    }
  }
}

function makePump(onStep?: (step_ms: number) => void) {
  const engine = new WatchedEngine();
  const clock = new ManualClock();
  return { engine, clock, pump: new Pump(engine, clock, onStep) };
}

function withTokens(engine: FakeEngine, count: number): EngineState {
  const state = engine.open();
  state.putTokens([2]);
  state.putDecode({ tokens_max: count, seed: 1n });
  return state;
}

describe("Pump", () => {
  it("drain() resolves at the tick edge, and the engine rests when nobody waits", async () => {
    const { engine, pump } = makePump();
    const state = withTokens(engine, 3);
    const heard: number[] = [];
    await pump.drain(state, (tokens) => heard.push(...tokens.map(({ id }) => id)));
    expect([state.pending, heard.length]).toEqual([0, 3]);
    const { runs } = engine;
    await settle();
    expect(engine.runs).toBe(runs);
    await pump.drain(withTokens(engine, 1));
    expect(engine.runs).toBeGreaterThan(runs);
  });

  it("runs the engine one at a time for all who wait", async () => {
    await hold(
      30,
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 12 }),
      async (counts) => {
        const { engine, pump } = makePump();
        const heard = counts.map(() => 0);
        const drains = counts.map(async (count, index) => {
          for (let hops = 0; hops < index; hops++) await Promise.resolve();
          await pump.drain(withTokens(engine, count), (tokens) => heard[index]! += tokens.length);
        });
        await Promise.all(drains);
        expect(heard).toEqual(counts);
        expect(engine.overlapped).toBe(false);
        // One batch: nobody costs the others a step.
        expect(engine.runs).toBeLessThanOrEqual(Math.max(...counts) + 1 + counts.length);
      },
    );
  });

  it("a failing engine rejects all who wait, and serves the next", async () => {
    const { engine, pump } = makePump();
    engine.fail_next = new Error("device lost");
    const drains = [withTokens(engine, 2), withTokens(engine, 2)].map((state) => pump.drain(state));
    for (const result of await Promise.allSettled(drains)) {
      expect(result).toMatchObject({ status: "rejected", reason: { message: "device lost" } });
    }
    await pump.drain(withTokens(engine, 2));
    expect(engine.overlapped).toBe(false);
  });

  it("who drains again as soon as the engine failed is not forgotten", async () => {
    const { engine, pump } = makePump();
    engine.fail_next = new Error("once");
    const state = withTokens(engine, 2);
    await pump.drain(state).catch(() => pump.drain(state));
    expect(state.pending).toBe(0);
  });

  it("lets a listener drain another state, or stop its own", async () => {
    const { engine, pump } = makePump();
    const other = withTokens(engine, 2);
    let inner: Promise<void> | undefined;
    const outer = withTokens(engine, 9);
    const heard: ChosenToken[] = [];
    await pump.drain(outer, (tokens) => {
      heard.push(...tokens);
      inner ??= pump.drain(other);
      if (heard.length === 2) outer.stop();
    });
    await inner;
    expect([heard.length, outer.pending, other.pending]).toEqual([2, 0, 0]);
    expect(engine.overlapped).toBe(false);
  });

  it("a listener that throws fails its own drain only", async () => {
    const { engine, pump } = makePump();
    const good = pump.drain(withTokens(engine, 3));
    const bad = pump.drain(withTokens(engine, 3), () => {
      throw new Error("no");
    });
    await expect(bad).rejects.toThrow("no");
    await good;
  });

  it("tells how long each step took", async () => {
    const steps: number[] = [];
    const { engine, clock, pump } = makePump((step_ms) => steps.push(step_ms));
    engine.gate = clock.sleep(7);
    const drained = pump.drain(withTokens(engine, 1));
    await clock.advance(7);
    await drained;
    expect(steps[0]).toBe(7);
    expect(steps.length).toBe(engine.runs);
  });
});
