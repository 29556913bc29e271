// Removing rows, a few at a time, so that captions go on while a year of them is forgotten. Must not know when it is due.
import type { Answers } from "./answers.ts";
import type { CaptionLog } from "./caption_log.ts";
import type { Database } from "./database.ts";
import { store_limits } from "./limits.ts";
import type { TickJournal } from "./tick_journal.ts";

export interface PruneRequest {
  /** Wall time: captions of frames before it go. */
  captions_before_ms?: number;
  /** Wall time: answers asked before it go. */
  answers_before_ms?: number;
}

export interface PruneResult {
  captions: number;
  answers: number;
}

export class Retention {
  readonly #database: Database;
  readonly #captions: CaptionLog;
  readonly #ticks: TickJournal;
  readonly #answers: Answers;

  constructor(database: Database, captions: CaptionLog, ticks: TickJournal, answers: Answers) {
    this.#database = database;
    this.#captions = captions;
    this.#ticks = ticks;
    this.#answers = answers;
  }

  async prune(stream: string, request: PruneRequest): Promise<PruneResult> {
    const { captions_before_ms, answers_before_ms } = request;
    const action = `prune stream "${stream}"`;
    return {
      captions: captions_before_ms === undefined ? 0 : await this.#inBatches(
        action,
        (count) => this.#captions.removeBefore(stream, captions_before_ms, count),
      ),
      answers: answers_before_ms === undefined ? 0 : await this.#inBatches(
        action,
        (count) => this.#answers.removeBefore(stream, answers_before_ms, count),
      ),
    };
  }

  /** Captions, ticks and answers of a stream that is being deleted. */
  async removeRows(stream: string): Promise<void> {
    const action = `delete stream "${stream}"`;
    await this.#inBatches(action, (count) => this.#captions.removeBefore(stream, Infinity, count));
    await this.#inBatches(action, (count) => this.#ticks.removeUpTo(stream, Number.MAX_SAFE_INTEGER, count));
    await this.#inBatches(action, (count) => this.#answers.removeBefore(stream, Infinity, count));
  }

  async #inBatches(action: string, remove: (rows_max: number) => number): Promise<number> {
    for (let total = 0;;) {
      const count = this.#database.transact(action, () => remove(store_limits.rows_per_batch));
      total += count;
      if (count < store_limits.rows_per_batch) return total;
      // Lets others run.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}
