// Small JSON values by key, and the streams a person has set up, which are such values.
// Must not know what is in a stream's spec.
import type { StatementSync } from "node:sqlite";
import type { Database } from "./database.ts";
import { StoreError } from "./errors.ts";

export interface StoredStream {
  id: string;
  /** JSON. Whoever saved it checks it when it comes back. */
  spec: unknown;
  paused: boolean;
  created_ms: number;
}

const stream_prefix = "stream/";

export class Settings {
  readonly #database: Database;
  readonly #read: StatementSync;
  readonly #list: StatementSync;
  readonly #save: StatementSync;
  readonly #remove: StatementSync;

  constructor(database: Database) {
    this.#database = database;
    this.#read = database.prepare("SELECT key, value FROM settings WHERE key = ?");
    this.#list = database.prepare("SELECT key, value FROM settings WHERE substr(key, 1, ?) = ? ORDER BY key");
    this.#save = database.prepare("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)");
    this.#remove = database.prepare("DELETE FROM settings WHERE key = ?");
  }

  /** undefined when there is none. */
  read(key: string): unknown {
    const row = this.#database.guard(`read setting "${key}"`, () => this.#read.get(key));
    return row && this.#parse(row.key as string, row.value as string);
  }

  /** `value` must be JSON and not undefined. */
  save(key: string, value: unknown): void {
    const text = JSON.stringify(value);
    if (text === undefined) {
      throw new StoreError("store_failed", `Cannot save setting "${key}": no value`, "never");
    }
    this.#database.guard(`save setting "${key}"`, () => this.#save.run(key, text));
  }

  remove(key: string): void {
    this.#database.guard(`remove setting "${key}"`, () => this.#remove.run(key));
  }

  /** Oldest first. */
  loadStreams(): StoredStream[] {
    const rows = this.#database.guard(
      "read the streams' settings",
      () => this.#list.all(stream_prefix.length, stream_prefix),
    );
    const streams = rows.map((row) => {
      const id = (row.key as string).slice(stream_prefix.length);
      const value = this.#parse(row.key as string, row.value as string) as Omit<StoredStream, "id">;
      return { id, spec: value.spec, paused: value.paused === true, created_ms: Number(value.created_ms) };
    });
    return streams.toSorted((a, b) => a.created_ms - b.created_ms);
  }

  saveStream({ id, spec, paused, created_ms }: StoredStream): void {
    this.save(stream_prefix + id, { spec, paused, created_ms });
  }

  removeStream(id: string): void {
    this.remove(stream_prefix + id);
  }

  #parse(key: string, text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new StoreError("store_damaged", `Cannot read setting "${key}": it is damaged`, undefined, {
        cause,
      });
    }
  }
}
