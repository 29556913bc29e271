// The data folder: one owner, one schema, damage named, and files that stay bounded.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { DatabaseSync } from "node:sqlite";
import { inFolder, listeningLog, open, say, storeErrorOf, tickRecord } from "./store_fixture.ts";

const holder = `${import.meta.dirname}/store_crash_child.ts`;

describe("data folder", () => {
  it("is made for its owner only", () =>
    inFolder(async (parent) => {
      const data_dir = `${parent}/new/data`;
      await using _store = open({ data_dir });
      const mode = (path: string) => Deno.statSync(path).mode! & 0o777;
      expect([data_dir, `${data_dir}/snapshots`].map(mode)).toEqual([0o700, 0o700]);
      const files = ["gander.db", "gander.db-wal", "gander.lock"].map((name) => mode(`${data_dir}/${name}`));
      expect(files).toEqual([0o600, 0o600, 0o600]);
    }));

  it("belongs to one store at a time in a process", () =>
    inFolder(async (data_dir) => {
      const store = open({ data_dir });
      const error = await storeErrorOf(() => open({ data_dir }));
      expect([error.code, error.retry]).toEqual(["store_failed", "never"]);
      expect(error.message).toBe(
        `Cannot open the data folder "${data_dir}": data folder is in use by process ${Deno.pid}`,
      );
      await store.close();
      await store.close();
      await open({ data_dir }).close();
    }));

  it("belongs to one process, until that dies in whatever way", () =>
    inFolder(async (data_dir) => {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", holder, data_dir, "hold"],
        stdout: "piped",
      }).spawn();
      const reader = child.stdout.getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toBe("open\n");
      const error = await storeErrorOf(() => open({ data_dir }));
      expect(error.message).toMatch(new RegExp(`data folder is in use by process ${child.pid}$`));
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
      const log = listeningLog();
      await using _store = open({ data_dir, log });
      expect(log.events).toEqual(["store was not closed cleanly: verified"]);
    }));

  it("can be opened again at once while child processes are being started", () =>
    inFolder(async (data_dir) => {
      // Until it runs, a new child has copies of all descriptors, a lock's too. Another thread starts them, because
      // this one waits while it starts a process.
      const source = `for (;;) new Deno.Command("true").outputSync();`;
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      const worker = new Worker(url, { type: "module" });
      try {
        const until_ms = performance.now() + 500;
        while (performance.now() < until_ms) await open({ data_dir }).close();
      } finally {
        worker.terminate();
        URL.revokeObjectURL(url);
      }
    }));

  it("is verified only after a run that was not closed", () =>
    inFolder(async (data_dir) => {
      for (let count = 0; count < 3; count++) {
        const log = listeningLog();
        await open({ data_dir, log }).close();
        expect(log.events).toEqual([]);
      }
    }));

  it("of a newer Gander is refused and left as it is", () =>
    inFolder(async (data_dir) => {
      await open({ data_dir }).close();
      {
        using db = new DatabaseSync(`${data_dir}/gander.db`);
        db.exec("PRAGMA user_version = 99");
      }
      const before = await Deno.readFile(`${data_dir}/gander.db`);
      const error = await storeErrorOf(() => open({ data_dir }));
      expect([error.code, error.retry]).toEqual(["store_failed", "never"]);
      expect(error.message).toMatch(
        /schema version 99 and this Gander knows versions up to 2\. Use the newer Gander/,
      );
      expect(await Deno.readFile(`${data_dir}/gander.db`)).toEqual(before);
    }));

  it("with a damaged database is refused, and a refusal does not hold the lock", () =>
    inFolder(async (data_dir) => {
      {
        await using store = open({ data_dir });
        for (let count = 0; count < 300; count++) say(store, "cam", "a goose in the garden");
      }
      const path = `${data_dir}/gander.db`;
      const good = await Deno.readFile(path);
      const bad = good.slice();
      // Every page but the first: the schema is readable, what it points to is not.
      bad.fill(0xa5, 4_096);
      await Deno.writeFile(path, bad);
      await Deno.writeTextFile(`${data_dir}/gander.lock`, "4711");
      for (let count = 0; count < 2; count++) {
        const error = await storeErrorOf(() => open({ data_dir }));
        expect([error.code, error.retry]).toEqual(["store_damaged", "never"]);
      }
      await Deno.writeTextFile(
        path,
        "this is not a database, but it is longer than a header of one is".repeat(99),
      );
      expect((await storeErrorOf(() => open({ data_dir }))).code).toBe("store_damaged");
      await Deno.writeFile(path, good);
      await using store = open({ data_dir });
      expect(store.lastSeq("cam")).toBe(300);
    }));

  it("that cannot be made or used says so", () =>
    inFolder(async (parent) => {
      await Deno.writeTextFile(`${parent}/file`, "");
      expect((await storeErrorOf(() => open({ data_dir: `${parent}/file/data` }))).message).toMatch(
        /^Cannot create the data folder ".*\/file\/data": /,
      );
      await Deno.mkdir(`${parent}/data/gander.db`, { recursive: true });
      expect((await storeErrorOf(() => open({ data_dir: `${parent}/data` }))).code).toBe("store_failed");
    }));

  it("answers StoreError after close", () =>
    inFolder(async (data_dir) => {
      const store = open({ data_dir });
      await store.close();
      for (
        const use of [
          () => store.commitTick("cam", tickRecord(1), undefined),
          () => store.captions("cam", { limit: 1 }),
          () => store.ticksAfter("cam", 0),
          () => store.saveStream({ id: "cam", spec: {}, paused: false, created_ms: 1 }),
          () => store.readSnapshot("cam", 1),
          () => store.prune("cam", { captions_before_ms: 1 }),
        ]
      ) expect((await storeErrorOf(use)).code).toBe("store_failed");
    }));

  it("keeps its write-ahead log bounded over 20,000 commits, and its file when ticks are trimmed", () =>
    inFolder(async (data_dir) => {
      await using store = open({ data_dir });
      const vectors = new Float32Array(256);
      let wal_bytes_max = 0;
      const file_bytes: number[] = [];
      for (let tick = 1; tick <= 20_000; tick++) {
        if (tick % 4 === 0) say(store, "cam", `caption ${tick}`, { vectors });
        else store.commitTick("cam", tickRecord(tick, { vectors }), undefined);
        if (tick % 100 === 0) {
          store.trimTicks("cam", tick - 50);
          wal_bytes_max = Math.max(wal_bytes_max, store.sizes().wal_bytes);
          if (tick % 5_000 === 0) file_bytes.push(store.sizes().file_bytes);
        }
      }
      // A checkpoint comes every 4 MiB; the last transaction before it may overshoot.
      expect(wal_bytes_max).toBeLessThan(8 * 1024 * 1024);
      // What grows are the 5,000 captions and their words, not the 20 MB of vectors that went through.
      expect(file_bytes.at(-1)).toBeLessThan(4 * 1024 * 1024);
      expect(store.lastSeq("cam")).toBe(5_000);
    }));
});
