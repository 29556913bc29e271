import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { silent_log } from "../log.ts";
import { ManualClock } from "../../tests/flow/manual_clock.ts";
import { MemoryStore } from "../../tests/flow/memory_store.ts";
import { fake_width, FakeEngine } from "./fake_engine.ts";
import { makeFakeLanguage } from "./fake_model.ts";
import type { SnapshotHead } from "./ports.ts";
import { Pump } from "./pump.ts";
import { resumeMemory } from "./resume.ts";
import { StreamMemory } from "./stream_memory.ts";

const model_a = "a".repeat(64);
const model_b = "b".repeat(64);

/** A stream's past, made tick by tick, and the memory as it was after each. */
async function begin() {
  const engine = new FakeEngine();
  const memory = new StreamMemory(engine.open(), makeFakeLanguage(), new Pump(engine, new ManualClock()));
  const store = new MemoryStore();
  await memory.begin();
  const states = [memory.exportBlob()];
  const head = (tick: number, model_hash = model_a): SnapshotHead => ({
    stream: "cam",
    tick,
    seq: store.lastSeq("cam"),
    t_media_ms: tick * 500,
    t_wall_ms: 1_000_000 + tick * 500,
    model_hash,
    thumbnail: new Uint8Array([tick]),
  });
  const tickTo = async (last: number) => {
    for (let tick = states.length; tick <= last; tick++) {
      const { t_media_ms, t_wall_ms, thumbnail } = head(tick);
      const vectors = new Float32Array(fake_width).fill(tick / 7);
      const speak_threshold = 0.3;
      const { text, tokens, prompt, p_speak } = await memory.tick({
        stream: "cam",
        tick,
        t_media_ms,
        vectors,
        speak_threshold,
        said: () => [],
      });
      const seq = store.lastSeq("cam") + 1;
      const caption = {
        stream: "cam",
        seq,
        tick,
        t_media_ms,
        t_wall_ms,
        text,
        p_speak: p_speak ?? 1,
        caption_age_ms: 0,
      };
      store.commitTick(
        "cam",
        { tick, t_media_ms, t_wall_ms, vectors, tokens, prompt, thumbnail },
        tokens.length > 0 ? caption : undefined,
      );
      states.push(memory.exportBlob());
    }
  };
  const snapshot = (tick: number, model_hash = model_a) =>
    store.writeSnapshot(head(tick, model_hash), states[tick]!.slice());
  /** Into another memory, as another process would. */
  const resume = async (model_hash = model_a) => {
    const other = new StreamMemory(engine.open(), makeFakeLanguage(), new Pump(engine, new ManualClock()));
    const resumed = await resumeMemory("cam", other, store, model_hash, silent_log);
    return { resumed, blob: other.exportBlob() };
  };
  return { store, states, tickTo, snapshot, resume };
}

describe("resumeMemory", () => {
  it("nothing stored: a fresh memory with the preamble fed", async () => {
    const { resume, states } = await begin();
    const { resumed, blob } = await resume();
    expect(resumed).toMatchObject({ how: "fresh", tick: 0, t_media_ms: 0, replayed_count: 0 });
    expect(blob).toEqual(states[0]);
  });

  it("newest snapshot and every tick after it: bit for bit the memory that was lost", async () => {
    const { snapshot, tickTo, resume, states } = await begin();
    await snapshot(0);
    await tickTo(4);
    await snapshot(4);
    await tickTo(9);
    const { resumed, blob } = await resume();
    expect(resumed).toMatchObject({
      how: "restored",
      tick: 9,
      t_media_ms: 4_500,
      t_wall_ms: 1_004_500,
      replayed_count: 5,
    });
    expect(resumed.thumbnail).toEqual(new Uint8Array([9]));
    expect(blob).toEqual(states[9]);
  });

  it("a snapshot alone stands where it was taken", async () => {
    const { snapshot, tickTo, resume, states } = await begin();
    await tickTo(3);
    await snapshot(3);
    const { resumed, blob } = await resume();
    expect(resumed).toMatchObject({ how: "restored", tick: 3, replayed_count: 0 });
    expect(resumed.thumbnail).toEqual(new Uint8Array([3]));
    expect(blob).toEqual(states[3]);
  });

  it("the newest is damaged: the older generation and a longer replay give the same memory", async () => {
    const { store, snapshot, tickTo, resume, states } = await begin();
    for (const tick of [0, 3, 6]) {
      await tickTo(tick);
      await snapshot(tick);
    }
    await tickTo(8);
    store.trimTicks("cam", 3);
    store.damage("cam");
    const { resumed, blob } = await resume();
    expect(resumed).toMatchObject({ how: "restored", tick: 8, replayed_count: 5 });
    expect(blob).toEqual(states[8]);
  });

  it("both generations are damaged: an older memory, and it says that something is forgotten", async () => {
    const { store, snapshot, tickTo, resume } = await begin();
    for (const tick of [0, 3, 6]) {
      await tickTo(tick);
      await snapshot(tick);
    }
    await tickTo(8);
    store.trimTicks("cam", 3);
    store.damage("cam", 6);
    store.damage("cam", 3);
    const { resumed } = await resume();
    expect(resumed).toMatchObject({ how: "restored", tick: 8, replayed_count: 5 });
    expect(resumed.reason).toContain("forgotten");
  });

  it("a blob that the engine refuses is passed over like a damaged one", async () => {
    const { store, snapshot, tickTo, resume, states } = await begin();
    await snapshot(0);
    await tickTo(2);
    const { head } = (await store.readSnapshot("cam", 0))!;
    await store.writeSnapshot({ ...head, tick: 2 }, new Uint8Array(20));
    const { resumed, blob } = await resume();
    expect(resumed).toMatchObject({ how: "restored", tick: 2, replayed_count: 2 });
    expect(blob).toEqual(states[2]);
  });

  it("all are damaged: a new memory, but the clock goes on behind the last tick", async () => {
    const { store, snapshot, tickTo, resume, states } = await begin();
    for (const tick of [0, 3]) {
      await tickTo(tick);
      await snapshot(tick);
    }
    await tickTo(5);
    store.damage("cam", 0);
    store.damage("cam", 3);
    const { resumed, blob } = await resume();
    expect(resumed).toMatchObject({ how: "lost", tick: 5, t_media_ms: 2_500 });
    expect(resumed.reason).toContain("no stored snapshot is readable");
    expect(blob).toEqual(states[0]);
    // Damaged files are put aside when they are read: the next try finds none, and must not begin at tick 1 again.
    expect(store.listSnapshots("cam")).toEqual([]);
    expect((await resume()).resumed).toMatchObject({ how: "lost", tick: 5, t_media_ms: 2_500 });
  });

  it("the model was changed: a new memory, but the clock goes on", async () => {
    const { snapshot, tickTo, resume, states } = await begin();
    await tickTo(4);
    await snapshot(4);
    await tickTo(6);
    const { resumed, blob } = await resume(model_b);
    expect(resumed).toMatchObject({ how: "lost", tick: 6, t_media_ms: 3_000, thumbnail: undefined });
    expect(resumed.reason).toContain("model was changed");
    expect(blob).toEqual(states[0]);
  });

  it("A, then B, then A again: what A remembers is from before B, so a new memory begins", async () => {
    const { snapshot, tickTo, resume } = await begin();
    await tickTo(3);
    await snapshot(3, model_a);
    await tickTo(5);
    await snapshot(5, model_b);
    await tickTo(7);
    expect((await resume(model_b)).resumed).toMatchObject({ how: "restored", tick: 7 });
    const { resumed } = await resume(model_a);
    expect(resumed).toMatchObject({ how: "lost", tick: 7 });
    // Its own snapshot after the switch counts again, and those behind the other model's do not.
    await snapshot(7, model_a);
    expect((await resume(model_a)).resumed).toMatchObject({ how: "restored", tick: 7 });
  });

  it("after a switch, a damaged first snapshot does not fall back to the memory of before the switch", async () => {
    const { store, snapshot, tickTo, resume } = await begin();
    await tickTo(3);
    await snapshot(3, model_a);
    await tickTo(5);
    await snapshot(5, model_b);
    await tickTo(6);
    await snapshot(6, model_a);
    store.damage("cam", 6);
    expect((await resume(model_a)).resumed).toMatchObject({ how: "lost", tick: 6 });
  });
});
