// Snapshot files: whole or refused, replaced or untouched, and never in each other's way.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { encodeSnapshot, format_version } from "../../src/store/snapshot_file.ts";
import { store_limits } from "../../src/store/limits.ts";
import {
  blobOf,
  inFolder,
  inStore,
  listeningLog,
  open,
  say,
  snapshotHead,
  storeErrorOf,
} from "./store_fixture.ts";

function pathOf(data_dir: string, stream: string, tick: number): string {
  return `${data_dir}/snapshots/${stream}/${String(tick).padStart(16, "0")}.gsn`;
}

function filesOf(data_dir: string, stream: string): string[] {
  return [...Deno.readDirSync(`${data_dir}/snapshots/${stream}`)].map((entry) => entry.name).sort();
}

/** The same file with a correct checksum at its end. */
async function sealed(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const copy = bytes.slice();
  const body = copy.subarray(0, -32);
  copy.set(new Uint8Array(await crypto.subtle.digest("SHA-256", body)), body.length);
  return copy;
}

describe("snapshots", () => {
  it("give head and blob back byte for byte, also after reopening", () =>
    inFolder(async (data_dir) => {
      const head = fc.record({
        seq: fc.nat(),
        t_media_ms: fc.double({ min: 0, max: 1e15, noNaN: true }).map((time) => time + 0),
        t_wall_ms: fc.double({ min: 0, max: 1e15, noNaN: true }).map((time) => time + 0),
        model_hash: fc.string({ unit: "grapheme", maxLength: 80 }),
        thumbnail: fc.uint8Array({ maxLength: 300 }),
      });
      let tick = 0;
      await fc.assert(
        fc.asyncProperty(head, fc.uint8Array({ maxLength: 500 }), async (change, bytes) => {
          const written = snapshotHead("cam", ++tick, change);
          const blob = new Uint8Array(bytes);
          {
            await using store = open({ data_dir });
            await store.writeSnapshot(written, blob);
            expect(store.listSnapshots("cam")[0]).toEqual(written);
          }
          await using store = open({ data_dir });
          expect(store.listSnapshots("cam")[0]).toEqual(written);
          const back = await store.readSnapshot("cam", tick);
          expect(back?.head).toEqual(written);
          expect([...back!.blob]).toEqual([...blob]);
          expect(back!.blob.byteOffset % 64).toBe(0);
        }),
        { numRuns: 25 },
      );
    }));

  it("take the blob as it is when asked, and are listed newest first", () =>
    inStore(async (store, data_dir) => {
      const blob = blobOf(70_000, 5);
      const expected = [...blob];
      const writes = [3, 1, 2].map((tick) => store.writeSnapshot(snapshotHead("cam", tick), blob));
      blob.fill(0);
      await Promise.all(writes);
      expect(store.listSnapshots("cam").map((head) => head.tick)).toEqual([3, 2, 1]);
      expect([...(await store.readSnapshot("cam", 1))!.blob]).toEqual(expected);
      expect(filesOf(data_dir, "cam").length).toBe(3);
    }));

  it("of one tick are replaced by the later one", () =>
    inStore(async (store) => {
      const writes = [1, 2, 3].map((seq) =>
        store.writeSnapshot(snapshotHead("cam", 7, { seq }), blobOf(9_000, seq))
      );
      await Promise.all(writes);
      expect(store.listSnapshots("cam").map((head) => head.seq)).toEqual([3]);
      expect((await store.readSnapshot("cam", 7))!.blob).toEqual(blobOf(9_000, 3));
    }));

  it("of many streams are written side by side, and each can be deleted", () =>
    inStore(async (store, data_dir) => {
      const streams = Array.from({ length: 8 }, (_, at) => `cam${at}`);
      await Promise.all(
        streams.flatMap((stream, at) =>
          [1, 2].map((tick) =>
            store.writeSnapshot(snapshotHead(stream, tick), blobOf(100_000, at * 2 + tick))
          )
        ),
      );
      for (const [at, stream] of streams.entries()) {
        expect((await store.readSnapshot(stream, 2))!.blob).toEqual(blobOf(100_000, at * 2 + 2));
        store.deleteSnapshot(stream, 1);
        store.deleteSnapshot(stream, 1);
        expect(store.listSnapshots(stream).map((head) => head.tick)).toEqual([2]);
        expect(filesOf(data_dir, stream).length).toBe(1);
      }
    }));

  it("that are gone read as nothing", () =>
    inStore(async (store, data_dir) => {
      expect(await store.readSnapshot("cam", 1)).toBeUndefined();
      await store.writeSnapshot(snapshotHead("cam", 1), new Uint8Array(4));
      await Deno.remove(pathOf(data_dir, "cam", 1));
      expect(await store.readSnapshot("cam", 1)).toBeUndefined();
      expect(store.listSnapshots("cam")).toEqual([]);
    }));

  it("that could not be read back are not written, and too many waiting are refused", () =>
    inStore(async (store) => {
      for (
        const change of [{ t_media_ms: NaN }, { tick: 1.5 }, { seq: -1 }, {
          thumbnail: new Uint8Array(99_999),
        }]
      ) {
        const error = await storeErrorOf(() =>
          store.writeSnapshot(snapshotHead("cam", 1, change), new Uint8Array(4))
        );
        expect([error.code, error.retry]).toEqual(["store_failed", "never"]);
      }
      const writes = Array.from(
        { length: store_limits.writes_waiting_max + 1 },
        (_, at) => store.writeSnapshot(snapshotHead("cam", at), new Uint8Array(4)),
      );
      const outcomes = await Promise.allSettled(writes);
      expect(outcomes.map((outcome) => outcome.status)).toEqual([
        ...Array(store_limits.writes_waiting_max).fill("fulfilled"),
        "rejected",
      ]);
      await store.writeSnapshot(snapshotHead("cam", 99), new Uint8Array(4));
    }));

  it("are all written before close resolves, and none after", () =>
    inFolder(async (data_dir) => {
      const store = open({ data_dir });
      const write = store.writeSnapshot(snapshotHead("cam", 1), blobOf(500_000, 1));
      await store.close();
      expect(Deno.statSync(pathOf(data_dir, "cam", 1)).isFile).toBe(true);
      await write;
      await storeErrorOf(() => store.writeSnapshot(snapshotHead("cam", 2), new Uint8Array(4)));
      await using again = open({ data_dir });
      expect((await again.readSnapshot("cam", 1))!.blob).toEqual(blobOf(500_000, 1));
    }));
});

describe("damaged snapshots", () => {
  const head = snapshotHead("cam", 1, { model_hash: "ab", thumbnail: new Uint8Array(3) });

  it("are refused for every flipped bit pattern of every byte, and put aside", () =>
    inStore(async (store, data_dir) => {
      const good = await encodeSnapshot(head, blobOf(40, 1));
      await store.writeSnapshot(head, blobOf(40, 1));
      expect(await Deno.readFile(pathOf(data_dir, "cam", 1))).toEqual(good);
      for (let at = 0; at < good.length; at++) {
        const bad = good.slice();
        bad[at]! ^= 1 << (at % 8);
        Deno.writeFileSync(pathOf(data_dir, "cam", 1), bad);
        expect([at, await store.readSnapshot("cam", 1)]).toEqual([at, undefined]);
        expect(store.listSnapshots("cam")).toEqual([]);
      }
      expect(filesOf(data_dir, "cam")).toEqual(["0000000000000001.gsn.bad"]);
    }));

  it("are refused at every length but their own", () =>
    inStore(async (store, data_dir) => {
      const good = await encodeSnapshot(head, blobOf(40, 1));
      await store.writeSnapshot(head, blobOf(40, 1));
      for (let length = 0; length < good.length; length++) {
        Deno.writeFileSync(pathOf(data_dir, "cam", 1), good.subarray(0, length));
        expect([length, await store.readSnapshot("cam", 1)]).toEqual([length, undefined]);
      }
      Deno.writeFileSync(pathOf(data_dir, "cam", 1), new Uint8Array([...good, 0]));
      expect(await store.readSnapshot("cam", 1)).toBeUndefined();
      Deno.writeFileSync(pathOf(data_dir, "cam", 1), good);
      expect((await store.readSnapshot("cam", 1))!.head).toEqual(head);
    }));

  it("are refused before a length is believed, and when they lie in another's place", () =>
    inStore(async (store, data_dir) => {
      const good = await encodeSnapshot(head, blobOf(40, 1));
      await store.writeSnapshot(head, blobOf(40, 1));
      const huge = good.slice();
      new DataView(huge.buffer).setUint32(12, 0xffffffff, true);
      for (const bad of [await sealed(huge), await encodeSnapshot({ ...head, tick: 2 }, blobOf(40, 1))]) {
        Deno.writeFileSync(pathOf(data_dir, "cam", 1), bad);
        expect(await store.readSnapshot("cam", 1)).toBeUndefined();
      }
      {
        // Sparse: a terabyte by its size, nothing on the disk.
        using file = await Deno.open(pathOf(data_dir, "cam", 1), { write: true, create: true });
        await file.truncate(2 ** 40);
      }
      expect(await store.readSnapshot("cam", 1)).toBeUndefined();
    }));

  it("are kept aside three at most, and the older ones still resume", () =>
    inFolder(async (data_dir) => {
      {
        await using store = open({ data_dir });
        for (let tick = 1; tick <= 7; tick++) {
          await store.writeSnapshot(snapshotHead("cam", tick, { seq: 0 }), blobOf(99, tick));
        }
        for (let tick = 3; tick <= 5; tick++) {
          Deno.truncateSync(pathOf(data_dir, "cam", tick), 300);
          expect(await store.readSnapshot("cam", tick)).toBeUndefined();
        }
      }
      for (const tick of [6, 7]) {
        Deno.writeFileSync(pathOf(data_dir, "cam", tick), new Uint8Array(0));
      }
      const log = listeningLog();
      await using store = open({ data_dir, log });
      expect(log.events).toEqual(["snapshot skipped", "snapshot skipped"]);
      expect(store.listSnapshots("cam").map((each) => each.tick)).toEqual([2, 1]);
      expect((await store.readSnapshot("cam", 2))!.blob).toEqual(blobOf(99, 2));
      expect(filesOf(data_dir, "cam").filter((name) => name.endsWith(".bad")).length).toBe(3);
    }));

  it("do not lend their numbers to the log", () =>
    inFolder(async (data_dir) => {
      {
        await using store = open({ data_dir });
        for (let count = 0; count < 4; count++) say(store, "cam", "x");
        await store.writeSnapshot(snapshotHead("cam", 1, { seq: 4 }), blobOf(40, 1));
      }
      const bytes = await Deno.readFile(pathOf(data_dir, "cam", 1));
      const text = String.fromCharCode(...bytes);
      bytes[text.indexOf('"seq":4') + 6]! ^= 1;
      await Deno.writeFile(pathOf(data_dir, "cam", 1), bytes);
      await using store = open({ data_dir });
      expect([store.lastSeq("cam"), store.listSnapshots("cam")]).toEqual([4, []]);
    }));

  it("are told from a newer format, which is left alone and refused with a sentence", () =>
    inFolder(async (data_dir) => {
      const newer = await encodeSnapshot(head, blobOf(40, 1));
      newer[8] = format_version + 1;
      {
        await using store = open({ data_dir });
        await store.writeSnapshot(head, blobOf(40, 1));
      }
      Deno.writeFileSync(pathOf(data_dir, "cam", 1), await sealed(newer));
      await using store = open({ data_dir });
      expect(store.listSnapshots("cam")).toEqual([]);
      const error = await storeErrorOf(() => store.readSnapshot("cam", 1));
      expect(error.message).toMatch(/^Cannot read snapshot 1 of stream "cam": it has format version 2 /);
      expect(filesOf(data_dir, "cam")).toEqual(["0000000000000001.gsn"]);
    }));

  it("never throw anything but StoreError, whatever lies in the folder", () =>
    inFolder(async (data_dir) => {
      await Deno.mkdir(`${data_dir}/snapshots/cam/0000000000000005.gsn`, { recursive: true });
      await Deno.mkdir(`${data_dir}/snapshots/Not A Stream`);
      for (const name of ["cam/0000000000000002.gsn.tmp", "cam/notes.txt", "file"]) {
        await Deno.writeTextFile(`${data_dir}/snapshots/${name}`, "x");
      }
      const log = listeningLog();
      await using store = open({ data_dir, log });
      expect(log.events.toSorted()).toEqual(["snapshot skipped", "unfinished snapshot removed"]);
      expect(filesOf(data_dir, "cam")).toEqual(["0000000000000005.gsn", "notes.txt"]);
      expect((await storeErrorOf(() => store.readSnapshot("cam", 5))).code).toBe("store_failed");
    }));
});
