// Validation rows, made once, and their scores under the parameters as they are. Must not know the trainer.
import type { Evaluate } from "../stage.ts";
import { packRows } from "./batch.ts";
import { validation_seed_first } from "./clip.ts";
import { type MadeRow, makeRow, type RowRequest, type TowerFeatures } from "./rows.ts";
import { Scores } from "./scores.ts";
import { slot_width } from "./simulate.ts";

export interface ValidationOptions {
  rows: number;
  /** Rows of one pass. */
  at_once: number;
  /** Seed, gate and tower are the validation's own. */
  request: RowRequest;
  /** Undefined: the simulated one. */
  tower: TowerFeatures | undefined;
}

/** Losses are measured apart, so that these do not matter. */
const even = { silence: 1, first_word: 1, word: 1, answer: 1, seen: 1 };

export class Validation {
  readonly #options: ValidationOptions;
  #rows: Promise<MadeRow[]> | undefined;

  constructor(options: ValidationOptions) {
    this.#options = options;
  }

  async run(evaluate: Evaluate): Promise<Record<string, number>> {
    const rows = await (this.#rows ??= this.#make());
    const scores = new Scores();
    for (let from = 0; from < rows.length; from += this.#options.at_once) {
      const some = rows.slice(from, from + this.#options.at_once);
      const batch = packRows(some.map((row) => ({ ...row, reset: true })), slot_width, even, true);
      const { logits } = await evaluate(batch, ["logits"]);
      const [, length, vocab] = logits!.dims as [number, number, number];
      some.forEach((row, at) =>
        scores.add(row, (position) => {
          const begin = (at * length + position) * vocab;
          return logits!.data.subarray(begin, begin + vocab);
        })
      );
    }
    return scores.summary();
  }

  async #make(): Promise<MadeRow[]> {
    const { rows, request, tower } = this.#options;
    const made: MadeRow[] = [];
    for (let row = 0; row < rows; row++) {
      const own: RowRequest = {
        ...request,
        seed: validation_seed_first + row,
        gated_share: 0,
        real_share: tower ? 1 : 0,
        asked_between: 0,
        asked_at_end: [4, 4],
      };
      made.push(await makeRow(own, tower));
    }
    return made;
  }
}
