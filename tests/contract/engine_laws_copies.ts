// Contract laws: forks, blobs, reset. A question can never change what the stream remembers.
import { expect } from "@std/expect";

import { codeOf, decode, feed, type Law, some, toEdge } from "./engine_rig.ts";

/** Forks, blobs, reset. */
export function copyLaws(law: Law): void {
  law("fork law: nothing a fork does changes its parent", async (engine) => {
    using plain = engine.open(), asked = engine.open();
    for (const state of [plain, asked]) await feed(engine, state, some(20));
    const before = asked.exportBlob();
    {
      using question = asked.fork();
      expect(question.exportBlob()).toEqual(before);
      expect(question.readLogits()).toEqual(asked.readLogits());
      question.putTokens(some(20, 3));
      question.putDecode({ tokens_max: 10, seed: 9n });
      // The parent goes on while its fork answers.
      expect(await decode(engine, asked, 6, 1n)).toEqual(await decode(engine, plain, 6, 1n));
      await toEdge(engine, question);
      expect(question.takeTokens().length).toBe(10);
    }
    expect(asked.exportBlob()).toEqual(plain.exportBlob());
  });

  law("copies are made at a tick edge only", async (engine) => {
    using state = engine.open();
    await feed(engine, state, [1]);
    const blob = state.exportBlob();
    state.putTokens([2]);
    expect(codeOf(() => state.fork())).toBe("busy");
    expect(codeOf(() => state.exportBlob())).toBe("busy");
    expect(codeOf(() => state.importBlob(blob))).toBe("busy");
    await toEdge(engine, state);
    state.fork().close();
  });

  law("a blob continues where it was taken", async (engine) => {
    using origin = engine.open(), restored = engine.open();
    await feed(engine, origin, some(20));
    await feed(engine, restored, some(3, 2)); // what was there before does not matter
    restored.importBlob(origin.exportBlob());
    expect(restored.readLogits()).toEqual(origin.readLogits());
    expect(await decode(engine, restored, 8, 5n)).toEqual(await decode(engine, origin, 8, 5n));
    expect(restored.exportBlob()).toEqual(origin.exportBlob());
  });

  law("half a blob continues close to where it was taken", async (engine) => {
    using origin = engine.open(), restored = engine.open();
    await feed(engine, origin, some(20));
    if (engine.info.device === "echo") { // its numbers are hashes: no fp16 holds them, and it says so
      return expect(codeOf(() => origin.exportHalf())).toBe("misuse");
    }
    const half = origin.exportHalf();
    expect(half.length).toBeLessThanOrEqual(origin.exportBlob().length);
    restored.importBlob(half);
    const logits = origin.readLogits(), size = Math.hypot(...logits);
    const away = Math.hypot(...restored.readLogits().map((value, i) => value - logits[i]!));
    expect(away / size).toBeLessThan(2e-3);
  });

  law("a damaged blob is refused and changes nothing", async (engine) => {
    using state = engine.open();
    await feed(engine, state, some(5));
    const good = state.exportBlob();
    await feed(engine, state, [1]);
    const before = state.exportBlob();
    for (let at = 0; at < good.length; at += 1 + Math.floor(good.length / 200)) {
      const bad = good.slice();
      bad[at]! ^= 0x10;
      expect(codeOf(() => state.importBlob(bad))).toBe("foreign");
    }
    expect(codeOf(() => state.importBlob(good.slice(0, -1)))).toBe("foreign");
    expect(codeOf(() => state.importBlob(new Uint8Array()))).toBe("foreign");
    expect(state.exportBlob()).toEqual(before);
  });

  law("a fork of a state that was fed nothing is a zero state", async (engine) => {
    using plain = engine.open(), blank = engine.open(), fork = blank.fork();
    expect(fork.exportBlob()).toEqual(plain.exportBlob());
    expect(codeOf(() => fork.putDecode({ tokens_max: 1, seed: 0n }))).toBe("misuse");
    blank.close();
    for (const state of [plain, fork]) await feed(engine, state, some(20));
    expect(fork.exportBlob()).toEqual(plain.exportBlob());
    expect(await decode(engine, fork, 6, 1n)).toEqual(await decode(engine, plain, 6, 1n));
  });

  law("reset goes back to the zero state", async (engine) => {
    using state = engine.open(), fresh = engine.open();
    await feed(engine, state, some(5));
    state.putTokens([1, 2]);
    state.reset();
    expect(state.pending).toBe(0);
    expect(state.exportBlob()).toEqual(fresh.exportBlob());
  });
}
