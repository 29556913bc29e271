import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { ManualClock } from "../../tests/flow/manual_clock.ts";
import { hold } from "../../tests/flow/pipeline_law.ts";
import { fake_width, FakeEngine } from "./fake_engine.ts";
import { makeFakeLanguage } from "./fake_model.ts";
import { seedOf, type TickInput } from "./memory.ts";
import { Pump } from "./pump.ts";
import { StreamMemory } from "./stream_memory.ts";

function makeMemory() {
  const engine = new FakeEngine();
  const pump = new Pump(engine, new ManualClock());
  const language = makeFakeLanguage({ tickMark: (t_media_ms) => [2 + Math.floor(t_media_ms / 500) % 60] });
  return { engine, pump, language, memory: new StreamMemory(engine.open(), language, pump) };
}

function input(tick: number, level: number): TickInput {
  const vectors = new Float32Array(2 * fake_width).fill(level);
  return { stream: "cam", tick, t_media_ms: tick * 500, vectors, speak_threshold: 0.5, said: () => [] };
}

describe("seedOf", () => {
  it("differs by stream and by tick", () => {
    const seeds = ["a", "b", "a#1"].flatMap((stream) => [1, 2, 11].map((tick) => seedOf(stream, tick)));
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(seeds.every((seed) => seed >= 0n && seed < 1n << 64n)).toBe(true);
  });
});

describe("StreamMemory", () => {
  it("replay feeds what a tick fed: the state is bit for bit the same", async () => {
    await hold(
      30,
      fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 12 }),
      async (levels) => {
        const { memory } = makeMemory();
        const { memory: second } = makeMemory();
        await memory.begin();
        await second.begin();
        for (const [index, level] of levels.entries()) {
          const put = input(index + 1, level);
          const { tokens, prompt } = await memory.tick(put);
          const record = { ...put, tokens, prompt, t_wall_ms: 0, thumbnail: new Uint8Array() };
          // What the state has lived through already is not fed twice.
          await second.replay([{ ...record, tick: index }, record], index);
          expect(second.exportBlob()).toEqual(memory.exportBlob());
        }
      },
    );
  });

  it("says the same words for the same tick, and P(speak) with them", async () => {
    const { memory } = makeMemory();
    await memory.begin();
    const start = memory.exportBlob();
    const first = await memory.tick(input(1, 0.5));
    memory.importBlob(start);
    expect(await memory.tick(input(1, 0.5))).toEqual(first);
  });

  it("hears the text grow, and a silent tick feeds no words", async () => {
    const { memory } = makeMemory();
    await memory.begin();
    const heard: string[] = [];
    const spoken = await memory.tick({
      ...input(1, 1),
      speak_threshold: 0,
      onText: (text) => heard.push(text),
    });
    expect(heard.at(-1)).toBe(spoken.text);
    expect(heard.every((text, at) => at === 0 || text.startsWith(heard[at - 1]!))).toBe(true);
    const silent = await memory.tick({ ...input(2, 1), speak_threshold: 1 });
    expect([silent.text, silent.tokens.length]).toEqual(["", 0]);
    expect(silent.p_speak).toBeLessThan(1);
  });

  it("takes a snapshot back after a tick that failed half way, words and work of it gone", async () => {
    const { engine, memory } = makeMemory();
    await memory.begin();
    const start = memory.exportBlob();
    const whole = await memory.tick(input(1, 0.25));
    const after = memory.exportBlob();
    memory.importBlob(start);
    engine.fail_next = new Error("device lost");
    await expect(memory.tick(input(1, 0.75))).rejects.toThrow("device lost");
    memory.importBlob(start);
    expect(await memory.tick(input(1, 0.25))).toEqual(whole);
    expect(memory.exportBlob()).toEqual(after);
  });

  it("begins anew after a tick that failed half way", async () => {
    const { engine, memory } = makeMemory();
    await memory.begin();
    const start = memory.exportBlob();
    engine.fail_next = new Error("device lost");
    await expect(memory.tick(input(1, 0.75))).rejects.toThrow("device lost");
    await memory.begin();
    expect(memory.exportBlob()).toEqual(start);
  });

  it("refuses a damaged blob and stays what it was", async () => {
    const { memory } = makeMemory();
    await memory.begin();
    const start = memory.exportBlob();
    const damaged = memory.exportBlob();
    damaged[7]! ^= 1;
    expect(() => memory.importBlob(damaged)).toThrow("damaged or of another model");
    expect(memory.exportBlob()).toEqual(start);
  });

  it("a fork leaves it untouched and takes nothing with it", async () => {
    const { engine, memory, pump } = makeMemory();
    await memory.begin();
    const before = memory.exportBlob();
    const fork = memory.fork();
    fork.putTokens([9, 9, 9]);
    await pump.drain(fork);
    expect(memory.exportBlob()).toEqual(before);
    expect(fork.exportBlob()).not.toEqual(before);
    fork.close();
    memory.close();
    expect(engine.states_open).toBe(0);
  });
});
