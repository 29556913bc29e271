// How well a tower finds things: right classes at the things' own cells, and detections against what is there. Must not
// know trainers or where pictures come from.
import { type CellGrid, pickObjects } from "../../vision/object_picking.ts";
import type { Detection } from "../../vision/slots.ts";
import type { Truth } from "./targets.ts";

/** A detection is right when its centre is this near along both axes, in frame sides. */
const near = 0.1;

export class TowerScore {
  #cells = 0;
  #cells_right = 0;
  #found = 0;
  #claimed = 0;
  #wanted = 0;
  #pictures = 0;
  #pictures_right = 0;

  /** One picture: what the tower's heads gave, what they should, and what is there. */
  add(
    logits: Float32Array,
    boxes: Float32Array,
    cell_class: Int32Array,
    truths: readonly Truth[],
    grid: CellGrid,
  ): void {
    const { classes } = grid, row = classes + 1;
    cell_class.forEach((wanted, cell) => {
      if (wanted < 0 || wanted === classes) return;
      this.#cells++;
      if (largest(logits, cell * row, row) === wanted) this.#cells_right++;
    });
    this.#compare(pickObjects({ logits, boxes }, undefined, grid), truths);
  }

  /** Shares: of cells with the right class, F1 of detections, of pictures with all things and no other. */
  get numbers(): { cell: number; f1: number; exact: number } {
    return {
      cell: this.#cells_right / Math.max(1, this.#cells),
      f1: 2 * this.#found / Math.max(1, this.#claimed + this.#wanted),
      exact: this.#pictures_right / Math.max(1, this.#pictures),
    };
  }

  #compare(detections: readonly Detection[], truths: readonly Truth[]): void {
    const open = [...truths];
    let found = 0, claimed = 0;
    for (const detection of detections) {
      const thing = largest(detection.probabilities, 0, detection.probabilities.length);
      const fits = (one: Truth) =>
        one.thing === thing && Math.abs(one.x - detection.x) < near && Math.abs(one.y - detection.y) < near;
      const certain = open.findIndex((one) => !one.unsure && fits(one));
      const at = certain >= 0 ? certain : open.findIndex((one) => fits(one));
      const match = at >= 0 ? open.splice(at, 1)[0] : undefined;
      if (match?.unsure) continue;
      claimed++;
      if (match) found++;
    }
    const wanted = truths.filter(({ unsure }) => !unsure).length;
    this.#found += found;
    this.#claimed += claimed;
    this.#wanted += wanted;
    this.#pictures++;
    if (found === wanted && claimed === wanted) this.#pictures_right++;
  }
}

function largest(values: ArrayLike<number>, from: number, count: number): number {
  let best = 0;
  for (let at = 1; at < count; at++) if (values[from + at]! > values[from + best]!) best = at;
  return best;
}
