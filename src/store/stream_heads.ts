// How far each stream has come: the newest caption number and tick ever given, and what was trimmed from the journal.
// Kept in memory too, because one process owns the file. Must not know captions or ticks themselves.
import type { StatementSync } from "node:sqlite";
import type { Database } from "./database.ts";

export interface StreamHead {
  /** 0 before the first caption. */
  last_seq: number;
  /** -1 before the first tick. */
  last_tick: number;
  /** Ticks up to here are gone from the journal; -1 when it is whole. */
  trimmed_tick: number;
}

const nothing_yet: StreamHead = { last_seq: 0, last_tick: -1, trimmed_tick: -1 };

export class StreamHeads {
  readonly #known = new Map<string, StreamHead>();
  readonly #write: StatementSync;
  readonly #remove: StatementSync;

  constructor(database: Database) {
    this.#write = database.prepare(`
      INSERT INTO streams (id, last_seq, last_tick, trimmed_tick) VALUES (?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET
        last_seq = excluded.last_seq, last_tick = excluded.last_tick, trimmed_tick = excluded.trimmed_tick`);
    this.#remove = database.prepare("DELETE FROM streams WHERE id = ?");
    const rows = database.guard("read the streams", () => database.prepare("SELECT * FROM streams").all());
    for (const row of rows) {
      this.#known.set(row.id as string, {
        last_seq: row.last_seq as number,
        last_tick: row.last_tick as number,
        trimmed_tick: row.trimmed_tick as number,
      });
    }
  }

  get(stream: string): StreamHead {
    return this.#known.get(stream) ?? nothing_yet;
  }

  /** Call inside a transaction, before the rows that refer to it; `adopt` after the commit. */
  write(stream: string, head: StreamHead): void {
    this.#write.run(stream, head.last_seq, head.last_tick, head.trimmed_tick);
  }

  adopt(stream: string, head: StreamHead): void {
    this.#known.set(stream, head);
  }

  /** Rows that still refer to it go too. `forget` after the commit. */
  remove(stream: string): void {
    this.#remove.run(stream);
  }

  forget(stream: string): void {
    this.#known.delete(stream);
  }
}
