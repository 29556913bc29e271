// Contract laws: decisions, decodes, stops, batches.
import { expect } from "@std/expect";

import type { EngineState } from "../../src/pipeline/ports.ts";
import { decode, feed, type Law, silence, some, toEdge } from "./engine_rig.ts";

/** Decisions, decodes, stops, batches. */
export function decodeLaws(law: Law): void {
  law("silence leaves no trace", async (engine) => {
    using state = engine.open();
    await feed(engine, state, some(5));
    expect(state.readDecision()).toEqual({ p_speak: -1, decisions: 0 });
    for (let tick = 1; tick <= 5; tick++) {
      await feed(engine, state, [tick]);
      const before = state.exportBlob(), logits = state.readLogits();
      state.putDecode({ tokens_max: 4, seed: BigInt(tick), silence: { token: silence, threshold: 1 } });
      await toEdge(engine, state);
      const { p_speak, decisions } = state.readDecision();
      expect(decisions).toBe(tick);
      expect(p_speak).toBeGreaterThanOrEqual(0);
      expect(p_speak).toBeLessThan(1);
      expect(state.takeTokens()).toEqual([]);
      expect(state.exportBlob()).toEqual(before);
      expect(state.readLogits()).toEqual(logits);
    }
  });

  law("who speaks does not say the silence token", async (engine) => {
    using state = engine.open();
    await feed(engine, state, some(5));
    for (let tick = 0; tick < 5; tick++) {
      state.putDecode({ tokens_max: 20, seed: BigInt(tick), silence: { token: silence, threshold: 0 } });
      await toEdge(engine, state);
      const tokens = state.takeTokens();
      expect(tokens.length).toBe(20);
      expect(tokens.some(({ id }) => id === silence)).toBe(false);
      expect(tokens.every(({ probability }) => probability > 0 && probability <= 1)).toBe(true);
    }
  });

  law("what was taken is what was fed", async (engine) => {
    using state = engine.open(), twin = engine.open();
    for (const each of [state, twin]) await feed(engine, each, some(5));
    await feed(engine, twin, await decode(engine, state, 9, 4n));
    expect(twin.exportBlob()).toEqual(state.exportBlob());
  });

  law("a seed chooses the same tokens again", async (engine) => {
    using first = engine.open(), second = engine.open();
    for (const state of [first, second]) {
      state.setSampler({ temperature: 1.2, top_p: .95, presence_penalty: .1, count_penalty: .1 });
      await feed(engine, state, some(5));
    }
    expect(await decode(engine, first, 16, 7n)).toEqual(await decode(engine, second, 16, 7n));
  });

  law("temperature 0 needs no seed", async (engine) => {
    using first = engine.open(), second = engine.open();
    for (const state of [first, second]) {
      state.setSampler({ temperature: 0, top_p: 1, presence_penalty: 0, count_penalty: 0 });
      await feed(engine, state, some(5));
    }
    expect(await decode(engine, first, 8, 1n)).toEqual(await decode(engine, second, 8, 2n));
  });

  law("a stop token ends the decode, is taken and is fed", async (engine) => {
    using state = engine.open(), free = engine.open(), twin = engine.open();
    for (const each of [state, free, twin]) await feed(engine, each, some(5));
    const whole = await decode(engine, free, 30, 3n), stop = whole[10]!;
    state.setStops([stop]);
    const cut = await decode(engine, state, 30, 3n);
    expect(cut).toEqual(whole.slice(0, whole.indexOf(stop) + 1));
    await feed(engine, twin, cut);
    expect(twin.exportBlob()).toEqual(state.exportBlob());
  });

  law("stop drops what is queued and keeps what was stepped", async (engine) => {
    using state = engine.open(), twin = engine.open();
    for (const each of [state, twin]) await feed(engine, each, some(5));
    state.putDecode({ tokens_max: 100, seed: 2n });
    state.putTokens([1, 2, 3]);
    for (let runs = 0; runs < 4; runs++) await engine.run();
    state.stop();
    expect(state.pending).toBe(0);
    const tokens = state.takeTokens().map(({ id }) => id);
    expect(tokens.length).toBeLessThan(100);
    await feed(engine, twin, tokens);
    expect(state.exportBlob()).toEqual(twin.exportBlob());
  });

  law("batch law: states do not hear each other", async (engine) => {
    const work = async (state: EngineState, i: number, edge: boolean) => {
      state.putTokens(some(10 + 7 * i, i));
      state.putDecode({ tokens_max: 4 + i, seed: BigInt(i) });
      if (edge) await toEdge(engine, state);
    };
    const together = [0, 1, 2, 3].map(() => engine.open()), alone = [0, 1, 2, 3].map(() => engine.open());
    for (const [i, state] of together.entries()) await work(state, i, false);
    await toEdge(engine, ...together);
    for (const [i, state] of alone.entries()) await work(state, i, true);
    for (const [i, state] of together.entries()) {
      expect(state.takeTokens()).toEqual(alone[i]!.takeTokens());
      expect(state.exportBlob()).toEqual(alone[i]!.exportBlob());
    }
    for (const state of [...together, ...alone]) state.close();
  });
}
