// The durable caption log: rows in, rows out, by number, time and words. Numbering is checked by its caller.
// Must not know ticks or snapshots.
import type { SQLInputValue, StatementSync } from "node:sqlite";
import type { Caption, CaptionQuery } from "../pipeline/ports.ts";
import type { Database } from "./database.ts";
import { store_limits } from "./limits.ts";
import { readSearch } from "./search_words.ts";

const columns = "stream, seq, tick, t_media_ms, t_wall_ms, text, p_speak, caption_age_ms";

export class CaptionLog {
  readonly #database: Database;
  readonly #add: StatementSync;
  readonly #removeBefore: StatementSync;
  readonly #queries = new Map<string, StatementSync>();

  constructor(database: Database) {
    this.#database = database;
    this.#add = database.prepare(`INSERT INTO captions (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#removeBefore = database.prepare(`
      DELETE FROM captions WHERE id IN
        (SELECT id FROM captions WHERE stream = ? AND t_wall_ms < ? ORDER BY t_wall_ms LIMIT ?)`);
  }

  /** Call inside a transaction. */
  add(caption: Caption): void {
    const { stream, seq, tick, t_media_ms, t_wall_ms, text, p_speak, caption_age_ms } = caption;
    this.#add.run(stream, seq, tick, t_media_ms, t_wall_ms, text, p_speak, caption_age_ms);
  }

  /** Both times are inclusive. Ordered by number; `newest_first` also chooses which end a limit keeps. */
  find(stream: string, query: CaptionQuery): Caption[] {
    const clauses = ["stream = ?"];
    const values: SQLInputValue[] = [stream];
    const where = (clause: string, value: SQLInputValue) => {
      clauses.push(clause);
      values.push(value);
    };
    if (query.after_seq !== undefined) where("seq > ?", query.after_seq);
    if (query.from_ms !== undefined) where("t_wall_ms >= ?", query.from_ms);
    if (query.to_ms !== undefined) where("t_wall_ms <= ?", query.to_ms);
    if (query.text !== undefined && query.text.trim() !== "") {
      const search = readSearch(query.text);
      if (!search) return []; // Only punctuation: no caption has such a word.
      if (search.match) {
        where("id IN (SELECT rowid FROM captions_words WHERE captions_words MATCH ?)", search.match);
      }
      for (const part of search.parts) where("instr(text, ?) > 0", part);
    }
    // A negative limit would mean all of them to SQLite.
    values.push(Math.max(0, Math.floor(query.limit) || 0));
    const sql = `SELECT ${columns} FROM captions WHERE ${clauses.join(" AND ")} ` +
      `ORDER BY seq ${query.newest_first ? "DESC" : "ASC"} LIMIT ?`;
    return this.#database.guard(
      `read captions of stream "${stream}"`,
      () => this.#prepared(sql).all(...values).map((row) => ({ ...row }) as unknown as Caption),
    );
  }

  /** Removes at most `rows_max` of the oldest captions before a wall time; answers how many. */
  removeBefore(stream: string, before_ms: number, rows_max: number): number {
    return Number(this.#removeBefore.run(stream, before_ms, rows_max).changes);
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#queries.get(sql);
    if (!statement) {
      if (this.#queries.size >= store_limits.statements_max) this.#queries.clear();
      this.#queries.set(sql, statement = this.#database.prepare(sql));
    }
    return statement;
  }
}
