// The tick journal bit for bit, settings, and what is left of a deleted stream: nothing.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { DatabaseSync } from "node:sqlite";
import { littleEndian } from "../../src/store/tick_journal.ts";
import {
  blobOf,
  inFolder,
  inStore,
  open,
  say,
  snapshotHead,
  storeErrorOf,
  tickRecord,
} from "./store_fixture.ts";

function bits(vectors: Float32Array): number[] {
  return [...new Uint32Array(vectors.buffer, vectors.byteOffset, vectors.length)];
}

describe("journal", () => {
  it("gives ticks back bit for bit, oldest first", () =>
    inFolder(async (data_dir) => {
      const float = fc.float({ noNaN: true });
      const record = fc.record({
        vectors: fc.array(float, { maxLength: 20 }).map((values) => Float32Array.from(values)),
        tokens: fc.uint32Array({ maxLength: 6 }),
        prompt: fc.uint32Array({ maxLength: 6 }),
        thumbnail: fc.uint8Array({ maxLength: 9 }),
        t_media_ms: fc.double({ min: 0, max: 1e12, noNaN: true }).map((time) => time + 0),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 8 }), async (changes) => {
          const stream = `s${crypto.randomUUID().slice(0, 8)}`;
          const records = changes.map((change, at) => tickRecord(2 * at + 1, change));
          {
            await using store = open({ data_dir });
            for (const each of records) store.commitTick(stream, each, undefined);
          }
          await using store = open({ data_dir });
          const back = store.ticksAfter(stream, 0);
          expect(back.map((each) => bits(each.vectors))).toEqual(records.map((each) => bits(each.vectors)));
          expect(back).toEqual(records);
          expect(store.ticksAfter(stream, 1).map((each) => each.tick)).toEqual(
            records.slice(1).map((each) => each.tick),
          );
        }),
        { numRuns: 20 },
      );
    }));

  it("keeps a view's own part of its buffer", () =>
    inStore((store) => {
      const vectors = Float32Array.of(9, 9, -0, 1.5, 9).subarray(2, 4);
      store.commitTick("cam", tickRecord(1, { vectors }), undefined);
      expect(bits(store.ticksAfter("cam", 0)[0]!.vectors)).toEqual([0x80000000, 0x3fc00000]);
    }));

  it("of a folder that an older Gander wrote is read, and goes on", () =>
    inFolder(async (data_dir) => {
      await using first = open({ data_dir });
      first.commitTick("cam", tickRecord(2), undefined);
      await first.close();
      using database = new DatabaseSync(`${data_dir}/gander.db`);
      database.exec("ALTER TABLE ticks DROP COLUMN prompt; PRAGMA user_version = 1;");
      database.close();
      await using store = open({ data_dir });
      store.commitTick("cam", tickRecord(3), undefined);
      expect(store.ticksAfter("cam", 0)).toEqual([
        tickRecord(2, { prompt: new Uint32Array() }),
        tickRecord(3),
      ]);
    }));

  it("writes little-endian numbers", () => {
    expect([...littleEndian(Uint32Array.of(0x01020304, 5))]).toEqual([4, 3, 2, 1, 5, 0, 0, 0]);
  });

  it("forgets up to and including a tick, and knows how far", () =>
    inStore((store) => {
      for (let tick = 1; tick <= 9; tick++) store.commitTick("cam", tickRecord(tick), undefined);
      store.commitTick("door", tickRecord(1), undefined);
      store.trimTicks("cam", 6);
      store.trimTicks("cam", 3);
      expect(store.ticksAfter("cam", 0).map((record) => record.tick)).toEqual([7, 8, 9]);
      expect(store.ticksAfter("cam", 8).map((record) => record.tick)).toEqual([9]);
      expect([store.trimmedTick("cam"), store.trimmedTick("door")]).toEqual([6, 0]);
      expect(store.ticksAfter("door", 0).length).toBe(1);
    }));
});

describe("streams", () => {
  const spec = { name: "Front door", source: { kind: "push" }, gates: null, list: [1, "ü"] };

  it("are saved, changed and listed oldest first", () =>
    inFolder(async (data_dir) => {
      const first = { id: "b", spec, paused: false, created_ms: 1 };
      const second = { id: "a", spec: "anything", paused: false, created_ms: 2 };
      {
        await using store = open({ data_dir });
        store.saveStream(second);
        store.saveStream({ ...first, paused: true });
        store.saveStream(first);
        store.settings.save("unrelated", { x: 1 });
      }
      await using store = open({ data_dir });
      expect(store.loadStreams()).toEqual([first, second]);
      expect(store.settings.read("unrelated")).toEqual({ x: 1 });
      store.settings.remove("unrelated");
      expect(store.settings.read("unrelated")).toBeUndefined();
      await storeErrorOf(() => store.settings.save("nothing", undefined));
    }));

  it("leave nothing behind when they are deleted, not even a write that was under way", () =>
    inFolder(async (data_dir) => {
      {
        await using store = open({ data_dir });
        for (const id of ["cam", "door"]) {
          store.saveStream({ id, spec, paused: false, created_ms: 1 });
          for (let count = 0; count < 700; count++) say(store, id, "a goose");
          store.saveAnswer({
            ...{ id: `q-${id}`, stream: id, question: "?", answer: "!", tick: 1, t_media_ms: 1 },
            ...{ t_wall_ms: 1, asked_at_ms: 1, status: "done" },
          });
          await store.writeSnapshot(snapshotHead(id, 1), blobOf(100, 1));
        }
        const under_way = store.writeSnapshot(snapshotHead("cam", 2), blobOf(300_000, 2));
        await store.deleteStream("cam");
        await under_way;
        await store.deleteStream("never-was");
      }
      await using store = open({ data_dir });
      expect(store.loadStreams().map((stream) => stream.id)).toEqual(["door"]);
      expect([store.lastSeq("cam"), store.lastTick("cam")]).toEqual([0, 0]);
      expect(store.captions("cam", { text: "goose", limit: 9 })).toEqual([]);
      expect([store.ticksAfter("cam", 0), store.answers("cam", 9), store.listSnapshots("cam")]).toEqual([
        [],
        [],
        [],
      ]);
      expect([...Deno.readDirSync(`${data_dir}/snapshots`)].map((entry) => entry.name)).toEqual(["door"]);
      expect(store.captions("door", { text: "goose", limit: 999 }).length).toBe(700);
      expect(store.answers("door", 9).length).toBe(1);
      expect(say(store, "cam", "anew").seq).toBe(1);
    }));
});
