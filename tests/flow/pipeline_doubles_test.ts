// The doubles are held to what they stand for: the clock to its order, the store in memory to the one on disk.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import type { Store } from "../../src/pipeline/ports.ts";
import { ManualClock } from "./manual_clock.ts";
import { MemoryStore } from "./memory_store.ts";
import { captionOf, inFolder, open, snapshotHead, tickRecord } from "./store_fixture.ts";

describe("ManualClock", () => {
  it("wakes sleepers in the order they are due, each at its moment", async () => {
    const clock = new ManualClock();
    const woken: [string, number][] = [];
    const sleep = async (name: string, ms: number) => {
      await clock.sleep(ms);
      woken.push([name, clock.monotonic_ms()]);
    };
    void sleep("late", 30);
    void sleep("early", 10).then(() => sleep("again", 10));
    void sleep("early too", 10);
    await clock.advance(25);
    expect(woken).toEqual([["early", 10], ["early too", 10], ["again", 20]]);
    await clock.advance(5);
    expect([woken.at(-1), clock.sleeping_count]).toEqual([["late", 30], 0]);
  });

  it("lets go of a sleeper whose signal aborts, before or while it sleeps", async () => {
    const clock = new ManualClock();
    const left = new AbortController();
    const slept = clock.sleep(1e9, left.signal);
    left.abort();
    await slept;
    await clock.sleep(1e9, left.signal);
    expect(clock.sleeping_count).toBe(0);
  });

  it("sets the wall clock without a moment passing", () => {
    const clock = new ManualClock(5_000);
    clock.skip(10);
    clock.setWall(-1_000);
    expect([clock.now_ms(), clock.monotonic_ms()]).toEqual([4_010, 10]);
  });
});

/** Walks through everything a stream does to its store; returns what could be seen on the way. */
async function walk(store: Store): Promise<unknown[]> {
  const seen: unknown[] = [];
  const see = (value: unknown) => void seen.push(value);
  const refusedCode = (act: () => void) => {
    try {
      act();
      return "taken";
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const commit = (tick: number, seq?: number) => {
    const record = tickRecord(tick);
    return refusedCode(() =>
      store.commitTick("cam", record, seq ? captionOf("cam", seq, record) : undefined)
    );
  };
  see([store.lastSeq("cam"), store.captions("cam", { limit: 9 }), store.ticksAfter("cam", 0)]);
  store.saveStream({ id: "cam", spec: { name: "Cam" }, paused: true, created_ms: 7 });
  see(store.loadStreams());
  see([commit(1), commit(2, 1), commit(2, 2), commit(3, 3), commit(3, 2), commit(5, 3)]);
  see([store.lastSeq("cam"), store.ticksAfter("cam", 2).map(({ tick, vectors }) => [tick, vectors])]);
  for (const tick of [2, 5, 3]) {
    await store.writeSnapshot(snapshotHead("cam", tick, { seq: 3 }), new Uint8Array([tick]));
  }
  see(store.listSnapshots("cam"));
  see(await store.readSnapshot("cam", 3));
  see(await store.readSnapshot("cam", 4));
  store.deleteSnapshot("cam", 3);
  store.trimTicks("cam", 2);
  see([store.listSnapshots("cam").length, store.ticksAfter("cam", 0).map(({ tick }) => tick)]);
  see(store.captions("cam", { after_seq: 1, limit: 1 }));
  see(store.captions("cam", { to_ms: 1_700_000_000_000 + 1_500, limit: 9, newest_first: true }));
  const answer = { stream: "cam", question: "?", answer: "!", tick: 5, t_media_ms: 1, t_wall_ms: 2 };
  for (const id of ["a", "b", "c"]) store.saveAnswer({ ...answer, id, asked_at_ms: 3, status: "done" });
  see(store.answers("cam", 2));
  await store.deleteStream("cam");
  see([
    store.loadStreams(),
    store.listSnapshots("cam"),
    store.captions("cam", { limit: 9 }),
    store.lastSeq("cam"),
  ]);
  see([commit(1, 1), store.answers("cam", 9)]);
  return seen;
}

describe("MemoryStore", () => {
  it("shows what the store on disk shows, step by step", () =>
    inFolder(async (data_dir) => {
      await using on_disk = open({ data_dir });
      const expected = await walk(on_disk);
      expect(await walk(new MemoryStore())).toEqual(expected);
    }));

  it("a clone is what a power loss leaves: what is being written is not in it", async () => {
    const clock = new ManualClock();
    const store = new MemoryStore(clock);
    store.write_ms = 10;
    const written = store.writeSnapshot(snapshotHead("cam", 1), new Uint8Array([1]));
    await clock.advance(5);
    const left = store.clone();
    await clock.advance(5);
    await written;
    expect([left.listSnapshots("cam").length, store.listSnapshots("cam").length]).toEqual([0, 1]);
  });

  it("breaks its promises when told to: full, failing, damaged", async () => {
    const store = new MemoryStore();
    store.disk_full = true;
    const full = expect.objectContaining({ code: "disk_full", retry: "backoff" });
    expect(() => store.commitTick("cam", tickRecord(1), undefined)).toThrow(full);
    await expect(store.writeSnapshot(snapshotHead("cam", 1), new Uint8Array(1))).rejects.toEqual(full);
    store.disk_full = false;
    store.commit_errors_left = 1;
    expect(() => store.commitTick("cam", tickRecord(1), undefined)).toThrow("a fault");
    store.commitTick("cam", tickRecord(1), undefined);
    await store.writeSnapshot(snapshotHead("cam", 1), new Uint8Array(1));
    store.damage("cam");
    expect(store.listSnapshots("cam").length).toBe(1);
    expect(await store.readSnapshot("cam", 1)).toBeUndefined();
    expect(store.listSnapshots("cam")).toEqual([]);
  });
});
