// Contract laws: sizes, slots, queues, what is refused.
import { expect } from "@std/expect";

import type { EngineState } from "../../src/pipeline/ports.ts";
import { codeOf, feed, type Law, some, toEdge } from "./engine_rig.ts";

/** Sizes, slots, queues, refusals. */
export function lifeLaws(law: Law): void {
  law("info is whole numbers and a hash", async (engine) => {
    const { info } = engine;
    for (const size of [info.width, info.layers, info.vocab, info.state_bytes, info.blob_bytes]) {
      expect(Number.isInteger(size) && size > 0).toBe(true);
    }
    expect(info.vocab).toBeGreaterThanOrEqual(32);
    expect(info.states_max).toBe(8);
    expect(info.model_hash).toMatch(/^[0-9a-f]{64}$/);
    using state = engine.open();
    expect(state.exportBlob().length).toBe(info.blob_bytes);
    await feed(engine, state, some(100));
    expect(state.exportBlob().length).toBe(info.blob_bytes); // constant, however long the stream
  });

  law("states_max is a wall, and a closed state gives its slot back clean", async (engine) => {
    const states = [engine.open(), engine.open()];
    await feed(engine, states[0]!, [1, 2]);
    states.push(states[0]!.fork());
    expect(engine.states_open).toBe(3);
    expect(codeOf(() => engine.open())).toBe("full");
    expect(codeOf(() => states[0]!.fork())).toBe("full");
    const zero = states[1]!.exportBlob();
    states[2]!.close();
    states[2]!.close(); // twice is fine
    expect(engine.states_open).toBe(2);
    const again = engine.open();
    expect(again.exportBlob()).toEqual(zero);
    expect(codeOf(() => states[2]!.putTokens([1]))).toBe("misuse");
    for (const state of [...states, again]) state.close();
    expect(engine.states_open).toBe(0);
  }, 3);

  law("pending counts what is queued and reaches 0", async (engine) => {
    using state = engine.open();
    expect(state.pending).toBe(0);
    await engine.run(); // nothing to do is fine
    state.putTokens(some(40));
    state.putVectors(new Float32Array(3 * engine.info.width).fill(.25));
    state.putDecode({ tokens_max: 5, seed: 1n });
    expect(state.pending).toBe(48);
    await engine.run();
    expect(state.pending).toBeLessThan(48);
    await toEdge(engine, state);
    expect(state.takeTokens().length).toBe(5);
    expect(state.takeTokens()).toEqual([]); // each is given once
  });

  law("one run is in flight at a time", async (engine) => {
    using state = engine.open();
    state.putTokens(some(40));
    const first = engine.run();
    // Asked in the same turn of the event loop: a quick engine may be done by the next.
    const second = (async () => await engine.run())().then(() => "done", (error) => error.code);
    expect(await second).toBe("busy");
    await first;
    await toEdge(engine, state);
  });

  law("how work is cut into puts does not matter, its order does", async (engine) => {
    using whole = engine.open(), pieces = engine.open(), turned = engine.open();
    const vectors = Float32Array.from({ length: 2 * engine.info.width }, (_, i) => (i % 9) / 9);
    whole.putTokens(some(40));
    whole.putVectors(vectors);
    for (const token of some(40)) await feed(engine, pieces, [token]);
    pieces.putVectors(vectors.slice(0, engine.info.width));
    pieces.putVectors(vectors.slice(engine.info.width));
    turned.putVectors(vectors);
    turned.putTokens(some(40));
    await toEdge(engine, whole, pieces, turned);
    expect(pieces.exportBlob()).toEqual(whole.exportBlob());
    expect(turned.exportBlob()).not.toEqual(whole.exportBlob());
    expect(pieces.readLogits()).toEqual(whole.readLogits());
    expect(whole.readLogits().length).toBe(engine.info.vocab);
  });

  law("a picture keeps its place, and in rows it is vectors", async (engine) => {
    const { width } = engine.info;
    const vectors = Float32Array.from({ length: 50 * width }, (_, i) => (i % 23) / 23 - .5);
    const fed = async (put: (state: EngineState) => void) => {
      using state = engine.open();
      state.putTokens([1, 2]);
      put(state);
      state.putTokens([3]);
      state.putDecode({ tokens_max: 4, seed: 1n });
      expect(state.pending).toBe(57);
      await toEdge(engine, state);
      return [...state.takeTokens(), ...state.exportBlob()];
    };
    const plain = await fed((state) => state.putVectors(vectors));
    const grid = { rows: 7, columns: 7 };
    expect(await fed((state) => state.putSpan(vectors, { ...grid, scan: "row_major" }))).toEqual(plain);
    const snake = await fed((state) => state.putSpan(vectors, { ...grid, scan: "snake" }));
    expect(snake).not.toEqual(plain);
    expect(await fed((state) => state.putSpan(vectors, { ...grid, scan: "snake" }))).toEqual(snake);
  });

  law("a picture is all or nothing", async (engine) => {
    const { width } = engine.info;
    using state = engine.open(), twin = engine.open();
    for (const each of [state, twin]) await feed(engine, each, [1, 2]);
    state.putSpan(new Float32Array(200 * width).fill(.5), { scan: "bidirection", rows: 20, columns: 10 });
    expect(codeOf(() => state.fork())).toBe("busy");
    state.stop();
    expect(state.pending).toBe(0);
    expect(state.exportBlob()).toEqual(twin.exportBlob());
  });

  law("bad input is refused and nothing is queued", async (engine) => {
    const { vocab, width } = engine.info;
    using state = engine.open();
    expect(codeOf(() => state.putDecode({ tokens_max: 1, seed: 0n }))).toBe("misuse"); // nothing was fed
    expect(codeOf(() => state.readLogits())).toBe("misuse");
    expect(codeOf(() => state.putTokens([1, vocab]))).toBe("misuse");
    expect(codeOf(() => state.putTokens([-1]))).toBe("misuse");
    expect(codeOf(() => state.putVectors(new Float32Array(width + 1)))).toBe("misuse");
    expect(codeOf(() => state.putVectors(new Float32Array(width).fill(NaN)))).toBe("misuse");
    expect(codeOf(() => state.putVectors(new Float32Array(width).fill(Infinity)))).toBe("misuse");
    const grid = { scan: "bidirection", rows: 2, columns: 2 } as const;
    expect(codeOf(() => state.putSpan(new Float32Array(3 * width), grid))).toBe("misuse");
    expect(codeOf(() => state.putSpan(new Float32Array(4 * width).fill(NaN), grid))).toBe("misuse");
    expect(codeOf(() => state.putTokens(new Uint32Array(65_537)))).toBe("full");
    expect(state.pending).toBe(0);
    await feed(engine, state, [1]);
    expect(codeOf(() => state.putDecode({ tokens_max: 0, seed: 0n }))).toBe("misuse");
    expect(state.pending).toBe(0);
  });
}
