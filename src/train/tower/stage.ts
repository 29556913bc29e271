// The stage that trains an object tower on the synthetic world: pairs of pictures that are made as they are needed,
// classes and boxes for each cell, captions. Must not know the trainer, schedules or checkpoints.
import { held_out_style, tower_styles, training_styles } from "../../world/art.ts";
import type { SpriteOf } from "../../world/renderer.ts";
import { openSprites } from "../../world/sprite_store.ts";
import { things } from "../../world/vocabulary.ts";
import { box_numbers } from "../../vision/object_picking.ts";
import type { Batch, NamedTensor } from "../ports.ts";
import type { Evaluate, Group, Stage } from "../stage.ts";
import { demo_stem, towerGroup, towerParameters } from "./parameters.ts";
import { makeRun, type PictureRun } from "./picture_batches.ts";
import { PictureSource } from "./picture_source.ts";
import { PictureMaker } from "./pictures.ts";
import { TowerScore } from "./scores.ts";
import { cell_px } from "./targets.ts";
import { wordRows, type Words } from "./words.ts";

export interface TowerStageOptions {
  seed: number;
  batch_size: number;
  /** A multiple of 16. */
  side_px: number;
  /** Where the art styles lie. */
  art_dir: string;
  words: Words;
}

/** Enough that a few hundred thousand pictures do not know each by heart; a painted one takes 27 kB. */
const backdrops = 768;
const easy_pictures = 100_000;
const checked_pictures = 300, checked_at_once = 50;
/** Added to the seed: pictures that are not trained on. */
const check_seed_step = 7_919;

export class TowerStage implements Stage, Disposable {
  readonly name = "tower";
  readonly kind = "tower";
  readonly numbers = { class_weight: 1, box_weight: 0.15, clip_weight: 0.1, background_weight: 0.2 };
  readonly settings: Readonly<Record<string, string | number>>;
  readonly #options: TowerStageOptions;
  readonly #source: PictureSource;
  readonly #class_tokens: Batch[string];
  /** Made when they are first asked for. */
  readonly #checks = new Map<string, PictureRun[]>();

  constructor(options: TowerStageOptions) {
    const { seed, side_px, art_dir, words } = options;
    this.#options = options;
    this.settings = { seed, side_px, batch_size: options.batch_size, words: words.size };
    this.#source = new PictureSource(
      { seed, side_px, styles: tower_styles, backdrops, easy_pictures },
      art_dir,
    );
    this.#class_tokens = wordRows(words, things.map(({ name }) => name));
  }

  // deno-lint-ignore require-await
  async parameters(): Promise<Map<string, NamedTensor>> {
    const { side_px, words, seed } = this.#options;
    return towerParameters({ side_px, stem: demo_stem, layers: 3, shared: 128, words: words.size }, seed);
  }

  groupOf(name: string, dims: readonly number[]): Group {
    return towerGroup(name, dims);
  }

  async batch(micro_step: number): Promise<Batch> {
    const { batch_size } = this.#options;
    return this.#batchOf(await this.#source.take(micro_step * batch_size, batch_size));
  }

  async validate(evaluate: Evaluate): Promise<Record<string, number>> {
    const known = await this.#score(evaluate, training_styles);
    const unseen = await this.#score(evaluate, [held_out_style]);
    return {
      cell: known.cell,
      f1: known.f1,
      exact: known.exact,
      held_out_cell: unseen.cell,
      held_out_f1: unseen.f1,
      held_out_exact: unseen.exact,
    };
  }

  [Symbol.dispose](): void {
    this.#source[Symbol.dispose]();
  }

  #batchOf(run: PictureRun): Batch {
    const { count, side_px, pixels, cell_class, cell_box, captions } = run;
    const cells = (side_px / cell_px) ** 2;
    return {
      pixels: { dims: [count, 2, side_px, side_px, 3], data: pixels },
      cell_class: { dims: [count, cells], data: cell_class },
      cell_box: { dims: [count, cells, box_numbers], data: cell_box },
      class_tokens: this.#class_tokens,
      caption_tokens: wordRows(this.#options.words, captions),
    };
  }

  async #score(evaluate: Evaluate, styles: readonly string[]): Promise<TowerScore["numbers"]> {
    const side = this.#options.side_px / cell_px, cells = side * side, classes = things.length;
    const score = new TowerScore();
    for (const run of this.#checksOf(styles)) {
      const { pixels, class_tokens } = this.#batchOf(run);
      const { cell_logits, cell_box } = await evaluate({ pixels: pixels!, class_tokens: class_tokens! }, [
        "cell_logits",
        "cell_box",
      ]);
      for (let at = 0; at < run.count; at++) {
        const rows = <T extends Float32Array | Int32Array>(data: T, width: number) =>
          data.subarray(at * cells * width, (at + 1) * cells * width) as T;
        score.add(
          rows(cell_logits!.data, classes + 1),
          rows(cell_box!.data, box_numbers),
          rows(run.cell_class, 1),
          run.truths[at]!,
          { rows: side, columns: side, classes },
        );
      }
    }
    return score.numbers;
  }

  #checksOf(styles: readonly string[]): PictureRun[] {
    const key = styles.join(" ");
    const { seed, side_px, art_dir } = this.#options;
    const spriteOf: SpriteOf = openSprites(art_dir);
    let runs = this.#checks.get(key);
    if (!runs) {
      const held_out = styles.includes(held_out_style);
      const rules = { seed: seed + check_seed_step, side_px, styles, held_out, backdrops: 100, plain: true };
      const maker = new PictureMaker(rules, spriteOf);
      runs = Array.from(
        { length: checked_pictures / checked_at_once },
        (_, at) => makeRun(maker, side_px, at * checked_at_once, checked_at_once),
      );
      this.#checks.set(key, runs);
    }
    return runs;
  }
}
