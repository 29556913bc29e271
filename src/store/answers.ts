// Questions that were asked and what came back. Must not know how an answer was made.
import type { StatementSync } from "node:sqlite";
import type { AnswerRecord } from "../pipeline/ports.ts";
import type { Database } from "./database.ts";

const columns = "id, stream, question, answer, tick, t_media_ms, t_wall_ms, asked_at_ms, status";

export class Answers {
  readonly #database: Database;
  readonly #save: StatementSync;
  readonly #newest: StatementSync;
  readonly #removeBefore: StatementSync;

  constructor(database: Database) {
    this.#database = database;
    this.#save = database.prepare(
      `INSERT OR REPLACE INTO answers (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#newest = database.prepare(
      `SELECT ${columns} FROM answers WHERE stream = ? ORDER BY asked_at_ms DESC, rowid DESC LIMIT ?`,
    );
    this.#removeBefore = database.prepare(`
      DELETE FROM answers WHERE rowid IN
        (SELECT rowid FROM answers WHERE stream = ? AND asked_at_ms < ? ORDER BY asked_at_ms LIMIT ?)`);
  }

  /** Call inside a transaction. The same id again replaces: an answer that was cut off may be completed. */
  save(answer: AnswerRecord): void {
    const { id, stream, question, tick, t_media_ms, t_wall_ms, asked_at_ms, status } = answer;
    this.#save.run(id, stream, question, answer.answer, tick, t_media_ms, t_wall_ms, asked_at_ms, status);
  }

  /** Newest first. */
  newest(stream: string, limit: number): AnswerRecord[] {
    const count = Math.max(0, Math.floor(limit) || 0);
    return this.#database.guard(
      `read the answers of stream "${stream}"`,
      () => this.#newest.all(stream, count).map((row) => ({ ...row }) as unknown as AnswerRecord),
    );
  }

  removeBefore(stream: string, before_ms: number, rows_max: number): number {
    return Number(this.#removeBefore.run(stream, before_ms, rows_max).changes);
  }
}
