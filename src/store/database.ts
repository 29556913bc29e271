// The SQLite file gander.db: opening, durability, integrity, transactions. Must not know what the tables mean.
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Log } from "../log.ts";
import { isNoSpace, isUnclearIo, type StoreError, storeError } from "./errors.ts";
import { verifyDatabase } from "./integrity.ts";
import { store_limits } from "./limits.ts";
import { migrate, readSchemaVersion, schema_version } from "./schema.ts";

/**
 * What a commit waits for. A killed process loses nothing in either mode: the write-ahead log is in the kernel's
 * hands before a commit returns. `full` also waits for the disk, so a power loss loses nothing; `normal` waits only
 * at checkpoints: a power loss can take the last commits with it, but never damages the file.
 */
export type Fsync = "full" | "normal";

export interface DatabaseOptions {
  data_dir: string;
  fsync: Fsync;
  /** Read the whole file and look for damage first. */
  verify: boolean;
  log: Log;
}

export class Database {
  readonly #db: DatabaseSync;
  readonly #options: DatabaseOptions;
  // Prepared: unlike `exec`, a statement says which way it failed.
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    const path = `${options.data_dir}/gander.db`;
    const action = `open "${path}"`;
    let db: DatabaseSync | undefined;
    try {
      // SQLite would create it readable by everybody; its side files inherit the mode from here.
      Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close();
      db = new DatabaseSync(path);
      db.exec(`PRAGMA busy_timeout = ${store_limits.busy_timeout_ms}`);
      // The version comes first: a file of a newer Gander is left exactly as it is.
      if (readSchemaVersion(db) <= schema_version) this.#configure(db);
      migrate(db);
      if (options.verify) verifyDatabase(db, options.log);
    } catch (cause) {
      if (db?.isOpen) db.close();
      throw this.#failure(action, cause);
    }
    this.#db = db;
    this.#begin = this.prepare("BEGIN IMMEDIATE");
    this.#commit = this.prepare("COMMIT");
    this.#rollback = this.prepare("ROLLBACK");
  }

  #configure(db: DatabaseSync): void {
    const mode = db.prepare("PRAGMA journal_mode = WAL").get()!.journal_mode;
    if (mode !== "wal") this.#options.log.warn("store without write-ahead log", { journal_mode: mode });
    db.exec(`
      PRAGMA synchronous = ${this.#options.fsync === "full" ? "FULL" : "NORMAL"};
      PRAGMA foreign_keys = ON;
      PRAGMA wal_autocheckpoint = ${store_limits.wal_pages};
      PRAGMA journal_size_limit = ${store_limits.wal_bytes_after_checkpoint};
      PRAGMA cache_size = -${store_limits.page_cache_kib};
      PRAGMA temp_store = MEMORY;
    `);
  }

  prepare(sql: string): StatementSync {
    return this.guard("prepare a statement", () => this.#db.prepare(sql));
  }

  /** Runs a read or one statement; failures become StoreError. `action` completes "Cannot …". */
  guard<T>(action: string, body: () => T): T {
    try {
      return body();
    } catch (cause) {
      throw this.#failure(action, cause);
    }
  }

  /** All of `body` or nothing. Not nestable. */
  transact<T>(action: string, body: () => T): T {
    return this.guard(action, () => {
      this.#begin.run();
      try {
        const result = body();
        this.#commit.run();
        return result;
      } catch (cause) {
        // A full disk may have rolled back already.
        if (this.#db.isTransaction) this.#rollback.run();
        throw cause;
      }
    });
  }

  /** Bytes of the database file, and of the log that waits to be merged into it. */
  sizes(): { file_bytes: number; wal_bytes: number } {
    const size = (name: string) => {
      try {
        return Deno.statSync(`${this.#options.data_dir}/${name}`).size;
      } catch {
        return 0; // Not there is nothing.
      }
    };
    return { file_bytes: size("gander.db"), wal_bytes: size("gander.db-wal") };
  }

  close(): void {
    if (!this.#db.isOpen) return;
    try {
      this.guard("close gander.db", () => this.#db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get());
    } finally {
      this.#db.close();
    }
  }

  #failure(action: string, cause: unknown): StoreError {
    return storeError(action, isUnclearIo(cause) ? this.#tellQuota(cause) : cause);
  }

  /** A trial write says whether an I/O error was a quota. */
  #tellQuota(cause: unknown): unknown {
    const path = `${this.#options.data_dir}/.space`;
    try {
      Deno.writeFileSync(path, new Uint8Array(65_536), { mode: 0o600 });
      return cause;
    } catch (trial) {
      return isNoSpace(trial) ? trial : cause;
    } finally {
      try {
        Deno.removeSync(path);
      } catch {
        // It may never have come to be.
      }
    }
  }
}
