// A disk that is really full: a small file system in memory. Every write says disk_full, nothing is half done, and the
// very same call works when there is space again.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { isNoSpace, storeError } from "../../src/store/errors.ts";
import {
  blobOf,
  captionOf,
  inFolder,
  listeningLog,
  open,
  say,
  snapshotHead,
  storeErrorOf,
  tickRecord,
} from "./store_fixture.ts";

const disk_bytes = 2 * 1024 * 1024;

function run(command: string, ...args: string[]): string | undefined {
  try {
    const { success, stderr } = new Deno.Command(command, { args, stderr: "piped" }).outputSync();
    return success ? undefined : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    return String(error);
  }
}

function mount(path: string): string | undefined {
  return run("mount", "-t", "tmpfs", "-o", `size=${disk_bytes}`, "tmpfs", path);
}

function whyNot(): string | undefined {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "needs root on Linux to mount a small disk";
  const path = Deno.makeTempDirSync({ prefix: "gander-store-" });
  const reason = mount(path);
  if (!reason) run("umount", path);
  Deno.removeSync(path);
  return reason && `mount: ${reason}`;
}

function onSmallDisk(body: (data_dir: string) => Promise<void>): Promise<void> {
  return inFolder(async (path) => {
    expect(mount(path)).toBeUndefined();
    try {
      await body(path);
    } finally {
      // Lazily: a test that failed may still hold a file, and the mount must not outlive it.
      expect(run("umount", "-l", path)).toBeUndefined();
    }
  });
}

/** Takes the whole disk but for `left_bytes`; `relieve` gives it back. */
function fill(data_dir: string, left_bytes = 0): void {
  using file = Deno.openSync(`${data_dir}/ballast`, { write: true, create: true, truncate: true });
  try {
    for (;;) file.writeSync(new Uint8Array(4_096));
  } catch (cause) {
    if (!isNoSpace(cause)) throw cause;
  }
  file.truncateSync(Math.max(0, file.statSync().size - left_bytes));
}

/** Truncated first: a child process that some other test is starting may hold the removed file a little longer. */
function relieve(data_dir: string): void {
  Deno.truncateSync(`${data_dir}/ballast`, 0);
  Deno.removeSync(`${data_dir}/ballast`);
}

describe("StoreError", () => {
  it("tells a full disk, damage, a bug and the rest apart", () => {
    const of = (cause: unknown) => {
      const { code, retry } = storeError("do it", cause);
      return [code, retry];
    };
    const sqlite = (errcode: number) => Object.assign(new Error("x"), { errcode });
    for (const cause of [sqlite(13), sqlite(4874), new Error("database or disk is full")]) {
      expect(of(cause)).toEqual(["disk_full", "backoff"]);
    }
    for (const code of ["ENOSPC", "EDQUOT"]) {
      expect(of(Object.assign(new Error("x"), { code }))).toEqual(["disk_full", "backoff"]);
    }
    expect(of(new Error("Disk quota exceeded (os error 122)"))).toEqual(["disk_full", "backoff"]);
    expect(of(new Error("x (os error 1228)"))).toEqual(["store_failed", "backoff"]);
    for (const cause of [sqlite(11), sqlite(267), sqlite(26), new Error("file is not a database")]) {
      expect(of(cause)).toEqual(["store_damaged", "never"]);
    }
    for (const cause of [sqlite(1299), new TypeError("x")]) {
      expect(of(cause)).toEqual(["store_failed", "never"]);
    }
    for (const cause of [sqlite(778), sqlite(5), "x"]) expect(of(cause)).toEqual(["store_failed", "backoff"]);
    const known = storeError("do it", sqlite(13));
    expect(storeError("do more", known)).toBe(known);
  });
});

describe("a full disk", () => {
  const reason = whyNot();

  it.unless(
    reason,
    "refuses commits whole, and takes the same ones when there is space",
    () =>
      onSmallDisk(async (data_dir) => {
        await using store = open({ data_dir });
        say(store, "cam", "before");
        fill(data_dir);
        const vectors = new Float32Array(16_384);
        for (let round = 0; round < 3; round++) {
          const record = tickRecord(store.lastTick("cam") + 1, { vectors });
          const caption = captionOf("cam", store.lastSeq("cam") + 1, record, "a goose");
          const before = [store.lastSeq("cam"), store.lastTick("cam")];
          for (let attempt = 0; attempt < 3; attempt++) {
            const error = await storeErrorOf(() => store.commitTick("cam", record, caption));
            expect([error.code, error.retry]).toEqual(["disk_full", "backoff"]);
            expect(error.message).toBe(`Cannot commit tick ${record.tick} of stream "cam": the disk is full`);
            expect([store.lastSeq("cam"), store.lastTick("cam")]).toEqual(before);
            expect(store.captions("cam", { text: "goose", limit: 9 }).length).toBe(round);
            expect(store.ticksAfter("cam", 1).length).toBe(round);
          }
          relieve(data_dir);
          store.commitTick("cam", record, caption);
          expect(store.captions("cam", { text: "goose", limit: 9 }).length).toBe(round + 1);
          fill(data_dir);
        }
        expect((await storeErrorOf(() => store.settings.save("big", "x".repeat(70_000)))).code).toBe(
          "disk_full",
        );
        relieve(data_dir);
      }),
  );

  it.unless(
    reason,
    "fills up commit by commit without losing one, at every point where it may strike",
    () =>
      onSmallDisk(async (data_dir) => {
        const log = listeningLog();
        let store = open({ data_dir, log });
        let full_count = 0;
        // Each round leaves a little more space, so that the end comes somewhere else.
        for (let left_bytes = 0; left_bytes < 30 * 4_096; left_bytes += 4_096) {
          fill(data_dir, left_bytes);
          for (let count = 0; count < 6; count++) {
            const before = store.lastSeq("cam");
            try {
              say(store, "cam", `caption ${before + 1}`);
            } catch (error) {
              full_count++;
              expect(storeError("", error).code).toBe("disk_full");
              expect(store.lastSeq("cam")).toBe(before);
            }
          }
          relieve(data_dir);
          store.trimTicks("cam", store.lastTick("cam"));
          if (left_bytes % 3 === 0) {
            await store.close();
            store = open({ data_dir, log });
          }
        }
        const captions = store.captions("cam", { limit: 9_999 });
        expect(captions.map((caption) => caption.text)).toEqual(captions.map((_, at) => `caption ${at + 1}`));
        expect(store.lastSeq("cam")).toBe(captions.length);
        expect(full_count).toBeGreaterThan(5);
        await store.close();
        expect(log.events).toEqual([]);
      }),
  );

  it.unless(
    reason,
    "refuses a snapshot, keeps the older one, and leaves no part of it",
    () =>
      onSmallDisk(async (data_dir) => {
        await using store = open({ data_dir });
        await store.writeSnapshot(snapshotHead("cam", 1), blobOf(100_000, 1));
        fill(data_dir, 50_000);
        for (const tick of [1, 2]) {
          const error = await storeErrorOf(() =>
            store.writeSnapshot(snapshotHead("cam", tick), blobOf(100_000, 2))
          );
          expect([error.code, error.retry]).toEqual(["disk_full", "backoff"]);
        }
        expect([...Deno.readDirSync(`${data_dir}/snapshots/cam`)].length).toBe(1);
        expect((await store.readSnapshot("cam", 1))!.blob).toEqual(blobOf(100_000, 1));
        relieve(data_dir);
        await store.writeSnapshot(snapshotHead("cam", 2), blobOf(100_000, 2));
        expect(store.listSnapshots("cam").map((head) => head.tick)).toEqual([2, 1]);
      }),
  );

  it.unless(
    reason,
    "is named when a store cannot be opened, and opens when there is space",
    () =>
      onSmallDisk(async (data_dir) => {
        fill(data_dir);
        expect((await storeErrorOf(() => open({ data_dir }))).code).toBe("disk_full");
        relieve(data_dir);
        await using store = open({ data_dir });
        expect(say(store, "cam", "x").seq).toBe(1);
      }),
  );
});
