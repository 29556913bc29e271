// What each tick fed to its state, bit for bit, until every kept snapshot contains it. Numbers are little-endian on disk.
// Must not know captions, or what a vector means.
import type { StatementSync } from "node:sqlite";
import type { TickRecord } from "../pipeline/ports.ts";
import type { Database } from "./database.ts";
import { StoreError } from "./errors.ts";

/** Both kinds stored here are four bytes wide. */
const word_bytes = 4;
const host_is_little = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Little-endian bytes of 32-bit numbers, or back: the same turn either way. On a little-endian host a plain copy. */
export function littleEndian(words: ArrayBufferView): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(words.byteLength);
  bytes.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  if (!host_is_little) {
    for (let at = 0; at < bytes.length; at += word_bytes) bytes.subarray(at, at + word_bytes).reverse();
  }
  return bytes;
}

interface TickRow {
  tick: number;
  t_media_ms: number;
  t_wall_ms: number;
  vectors: Uint8Array;
  tokens: Uint8Array;
  prompt: Uint8Array;
  thumbnail: Uint8Array;
}

export class TickJournal {
  readonly #database: Database;
  readonly #add: StatementSync;
  readonly #after: StatementSync;
  readonly #removeUpTo: StatementSync;

  constructor(database: Database) {
    this.#database = database;
    this.#add = database.prepare(`
      INSERT INTO ticks (stream, tick, t_media_ms, t_wall_ms, vectors, tokens, prompt, thumbnail)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#after = database.prepare(`
      SELECT tick, t_media_ms, t_wall_ms, vectors, tokens, prompt, thumbnail FROM ticks
      WHERE stream = ? AND tick > ? ORDER BY tick`);
    this.#removeUpTo = database.prepare(`
      DELETE FROM ticks WHERE id IN (SELECT id FROM ticks WHERE stream = ? AND tick <= ? ORDER BY tick LIMIT ?)`);
  }

  /** Call inside a transaction. */
  add(stream: string, record: TickRecord): void {
    const { tick, t_media_ms, t_wall_ms, vectors, tokens, prompt, thumbnail } = record;
    this.#add.run(
      stream,
      tick,
      t_media_ms,
      t_wall_ms,
      littleEndian(vectors),
      littleEndian(tokens),
      littleEndian(prompt),
      thumbnail,
    );
  }

  after(stream: string, tick: number): TickRecord[] {
    const action = `read the ticks of stream "${stream}" after ${tick}`;
    const rows = this.#database.guard(action, () => this.#after.all(stream, tick)) as unknown as TickRow[];
    return rows.map((row) => {
      if ([row.vectors, row.tokens, row.prompt].some(({ byteLength }) => byteLength % word_bytes !== 0)) {
        throw new StoreError("store_damaged", `Cannot ${action}: tick ${row.tick} is damaged`);
      }
      return {
        tick: row.tick,
        t_media_ms: row.t_media_ms,
        t_wall_ms: row.t_wall_ms,
        vectors: new Float32Array(littleEndian(row.vectors).buffer),
        tokens: new Uint32Array(littleEndian(row.tokens).buffer),
        prompt: new Uint32Array(littleEndian(row.prompt).buffer),
        thumbnail: row.thumbnail,
      };
    });
  }

  /** Removes at most `rows_max` of the oldest ticks up to and including `tick`; answers how many. */
  removeUpTo(stream: string, tick: number, rows_max: number): number {
    return Number(this.#removeUpTo.run(stream, tick, rows_max).changes);
  }
}
