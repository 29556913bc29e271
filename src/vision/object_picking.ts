// What an object tower's cells say, as detections: the surest cell first, its neighbours that mean the same thing put
// aside, at most four; then how those moved. The definition; onnx/object_slots.ts is the same as a graph. Pure; must not
// know towers or frames.
import { seeMotion } from "./object_motion.ts";
import { type Detection, slots_per_frame } from "./slots.ts";

/**
 * Numbers of a cell's box as the head gives them: dx, dy (cells, from its centre), ln size, four of motion that nothing
 * reads (object_motion.ts matches frames instead), and the logit of the visible share.
 */
export const box_numbers = 8;
/** Below this a cell says nothing. */
export const objectness_min = 0.5;
/** A cell whose centre lies within this many sizes of a picked one, along both axes, means the same thing. */
export const same_thing_sizes = 0.45;
/** … or within this many frame sides. */
export const same_thing_sides = 0.08;
/** Logarithms of sizes are cut off here, so that no sum overflows: 0.007 and 7.4 frame sides. */
export const log_size_min = -5, log_size_max = 2;

export interface CellGrid {
  rows: number;
  columns: number;
  /** C, without the background, which comes last. */
  classes: number;
}

/** What the heads say of one frame. */
export interface Heads {
  /** cells x (classes + 1). */
  logits: ArrayLike<number>;
  /** cells x 8. */
  boxes: ArrayLike<number>;
}

/** Left to right. `before`: the frame one tick ago; left out, nothing moved. */
export function pickObjects(
  now: Heads,
  before: Heads | undefined,
  grid: CellGrid,
  least = objectness_min,
): Detection[] {
  const cells = readCells(now, grid);
  const cells_before = before === undefined ? cells : readCells(before, grid);
  const open = cells.map(({ objectness }) => objectness);
  const picked: Detection[] = [];
  for (let round = 0; round < slots_per_frame; round++) {
    const best = open.reduce((most, value, cell) => value > open[most]! ? cell : most, 0);
    if (open[best]! < least) break;
    const found = cells[best]!;
    picked.push(found);
    const reach = Math.max(same_thing_sides, same_thing_sizes * found.size);
    cells.forEach(({ x, y }, cell) => {
      if (Math.abs(x - found.x) < reach && Math.abs(y - found.y) < reach) open[cell] = -1;
    });
  }
  return picked.sort((a, b) => a.x - b.x).map((one) => seeMotion(one, cells_before));
}

function readCells({ logits, boxes }: Heads, grid: CellGrid): Detection[] {
  return Array.from(
    { length: grid.rows * grid.columns },
    (_, cell) => readCell(logits, boxes, grid, cell),
  );
}

function readCell(
  logits: ArrayLike<number>,
  boxes: ArrayLike<number>,
  { rows, columns, classes }: CellGrid,
  cell: number,
): Detection {
  const from = cell * (classes + 1), box = cell * box_numbers;
  let most = -Infinity, sum = 0;
  for (let one = 0; one <= classes; one++) most = Math.max(most, logits[from + one]!);
  const probabilities = new Float32Array(classes + 1);
  for (let one = 0; one <= classes; one++) sum += probabilities[one] = Math.exp(logits[from + one]! - most);
  for (let one = 0; one <= classes; one++) probabilities[one] = probabilities[one]! / sum;
  const log_size = Math.min(log_size_max, Math.max(log_size_min, boxes[box + 2]!));
  return {
    probabilities: probabilities.subarray(0, classes),
    objectness: 1 - probabilities[classes]!,
    x: (cell % columns + 0.5 + boxes[box]!) / columns,
    y: (Math.floor(cell / columns) + 0.5 + boxes[box + 1]!) / rows,
    size: Math.exp(log_size),
    // A frame by itself does not tell.
    ...{ vx: 0, vy: 0, growth: 0, fresh: 0 },
    visible: sigmoid(boxes[box + 7]!),
  };
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
