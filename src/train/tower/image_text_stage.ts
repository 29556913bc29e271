// The stage that trains a tower on anybody's pictures with captions: each picture finds its caption among those of the
// batch and each caption its picture. Must not know how pictures are read and decoded, or the synthetic world.
import { cubicOrder, drawsOf } from "../data_order.ts";
import { TrainError } from "../errors.ts";
import type { Batch, NamedTensor } from "../ports.ts";
import type { Evaluate, Group, Stage } from "../stage.ts";
import { towerGroup } from "./parameters.ts";
import { wordRows, type Words } from "./words.ts";

export interface ImageTextRow {
  /** Says which picture; the reader of pictures knows what it means. */
  picture: string;
  caption: string;
}

/** uint8 RGB, side x side x 3. */
export type ReadPicture = (row: ImageTextRow) => Promise<Uint8Array>;

export interface ImageTextOptions {
  rows: readonly ImageTextRow[];
  /** Rows that are not trained on: how often the right caption wins among theirs. */
  check_rows?: readonly ImageTextRow[];
  readPicture: ReadPicture;
  /** At least 2: a caption needs others to be told from. */
  batch_size: number;
  side_px: number;
  words: Words;
  parameters(): Promise<Map<string, NamedTensor>>;
}

/** Pictures of a validation that are told apart from each other at once. */
const checked_at_once = 64;

export class ImageTextStage implements Stage {
  readonly name = "image-text";
  readonly kind = "tower";
  readonly numbers = { clip_weight: 1 };
  readonly settings: Readonly<Record<string, string | number>>;
  readonly #options: ImageTextOptions;
  readonly #exampleAt: (draw: number) => number;

  /** Throws TrainError. */
  constructor(options: ImageTextOptions) {
    const { rows, batch_size, side_px, words } = options;
    if (batch_size < 2 || batch_size > rows.length) {
      throw new TrainError(
        "train_invalid",
        `Cannot train on batches of ${batch_size}: between 2 and the ${rows.length} pictures there are is possible`,
      );
    }
    this.#options = options;
    this.#exampleAt = cubicOrder(rows.length).exampleAt;
    this.settings = { rows: rows.length, batch_size, side_px, words: words.size };
  }

  parameters(): Promise<Map<string, NamedTensor>> {
    return this.#options.parameters();
  }

  groupOf(name: string, dims: readonly number[]): Group {
    // What finds things in cells learns nothing here.
    const idle = name.startsWith("head.class.") || name.startsWith("head.box.") || name === "head.background";
    return idle ? { lr_scale: 0, weight_decay: 0 } : towerGroup(name, dims);
  }

  batch(micro_step: number): Promise<Batch> {
    const { rows, batch_size } = this.#options;
    return this.#batchOf(drawsOf(micro_step, batch_size).map((draw) => rows[this.#exampleAt(draw)]!));
  }

  async validate(evaluate: Evaluate): Promise<Record<string, number>> {
    const { check_rows = [] } = this.#options;
    let right = 0, count = 0;
    for (let from = 0; from < check_rows.length; from += checked_at_once) {
      const rows = check_rows.slice(from, from + checked_at_once);
      const { image_text } = await evaluate(await this.#batchOf(rows), ["image_text"]);
      rows.forEach(({ caption }, at) => {
        const scores = image_text!.data.subarray(at * rows.length, (at + 1) * rows.length);
        if (rows[scores.indexOf(Math.max(...scores))]?.caption === caption) right++;
      });
      count += rows.length;
    }
    return count === 0 ? {} : { caption_found: right / count };
  }

  async #batchOf(rows: readonly ImageTextRow[]): Promise<Batch> {
    const { readPicture, side_px, words } = this.#options;
    const bytes = side_px * side_px * 3;
    const pixels = new Uint8Array(rows.length * 2 * bytes);
    await Promise.all(rows.map(async (row, at) => {
      const picture = await readPicture(row);
      if (picture.length !== bytes) {
        throw new TrainError(
          "train_invalid",
          `Cannot train on "${row.picture}": it has ${picture.length} bytes, not ${bytes}`,
        );
      }
      // A picture that does not move is the frame before, too.
      pixels.set(picture, 2 * at * bytes);
      pixels.set(picture, (2 * at + 1) * bytes);
    }));
    return {
      pixels: { dims: [rows.length, 2, side_px, side_px, 3], data: pixels },
      caption_tokens: wordRows(words, rows.map(({ caption }) => caption)),
    };
  }
}
