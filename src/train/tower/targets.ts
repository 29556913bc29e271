// What a tower should say about a training picture: a class and a box for each cell, as rwkv_train.h puts it, the things
// that a score is counted over, and a caption. Must not know pixels or tensors of a batch.
import { box_numbers } from "../../vision/object_picking.ts";
import { type Pose } from "../../world/tracks.ts";
import { numberWord } from "../../world/numbers.ts";
import { pluralOf, things, withArticle } from "../../world/vocabulary.ts";
import { type PlacedThing, type Scene, shownShare } from "./scene.ts";

/** Pixels of a cell's side: the stem halves the picture four times. */
export const cell_px = 16;
/** From this share in the frame on a thing is to be found; below it, and above the next, either answer is right. */
const found_share = 0.2, unsure_share = 0.08;
/** A thing of which less than this can be seen behind others is nobody's duty. */
const covered_share_max = 0.65;
/** A centre this near to the border between two cells (in cells) is as good in the one as in the other. */
const near_border = 0.12;
const ignored = -1;

export interface Truth {
  thing: number;
  /** In frame sides. */
  x: number;
  y: number;
  size: number;
  /** Too little of it can be seen: finding it is as right as not. */
  unsure: boolean;
}

/** Fills a picture's rows and tells what is to be found on it. `cells` a side. */
export function writeTargets(
  { things: placed, camera }: Scene,
  cells: number,
  cell_class: Int32Array,
  cell_box: Float32Array,
): Truth[] {
  cell_class.fill(things.length);
  cell_box.fill(0);
  if (camera.black) return [];
  const truths: Truth[] = [];
  const owned = new Set<number>();
  // From the back to the front, so that the front one has the cell.
  for (const [index, one] of placed.entries()) {
    const { now } = one;
    const share = shownShare(now);
    if (!now || share < unsure_share) continue;
    const unsure = share < found_share || isCovered(now, placed.slice(index + 1).map(({ now }) => now));
    truths.push({ thing: one.thing, x: now.x, y: now.y, size: now.size, unsure });
    const column = cellOf(now.x, cells), row = cellOf(now.y, cells), cell = row * cells + column;
    for (const other of neighbours(now, column, row, cells)) {
      if (!owned.has(other)) cell_class[other] = ignored;
    }
    if (unsure && owned.has(cell)) continue;
    cell_class[cell] = unsure ? ignored : one.thing;
    if (unsure) continue;
    owned.add(cell);
    const fresh = camera.black_before || wasHidden(one.before, placed.slice(index + 1));
    cell_box.set(boxOf(one, now, cells, fresh, share), box_numbers * cell);
  }
  return truths;
}

function cellOf(value: number, cells: number): number {
  return Math.min(cells - 1, Math.max(0, Math.floor(value * cells)));
}

/** Cells on the other side of a border that the centre is close to. */
function neighbours({ x, y }: Pose, column: number, row: number, cells: number): number[] {
  const step = (value: number, at: number) => {
    const inside = value * cells - at;
    const by = inside < near_border ? -1 : inside > 1 - near_border ? 1 : 0;
    return at + by < 0 || at + by >= cells ? 0 : by;
  };
  const dx = step(x, column), dy = step(y, row);
  const found: number[] = [];
  if (dx !== 0) found.push(row * cells + column + dx);
  if (dy !== 0) found.push((row + dy) * cells + column);
  if (dx !== 0 && dy !== 0) found.push((row + dy) * cells + column + dx);
  return found;
}

function boxOf({ before }: PlacedThing, now: Pose, cells: number, fresh: boolean, share: number): number[] {
  return [
    now.x * cells - cellOf(now.x, cells) - 0.5,
    now.y * cells - cellOf(now.y, cells) - 0.5,
    Math.log(now.size),
    before ? now.x - before.x : 0,
    before ? now.y - before.y : 0,
    before ? Math.log(now.size / before.size) : 0,
    fresh ? 1 : 0,
    share,
  ];
}

/** It was not to be found one tick ago. */
function wasHidden(before: Pose | undefined, others: readonly PlacedThing[]): boolean {
  return !before || shownShare(before) < found_share || isCovered(before, others.map(({ before }) => before));
}

/** Most of its square is behind the squares of others; a square is about three quarters full. */
function isCovered(pose: Pose, others: readonly (Pose | undefined)[]): boolean {
  let covered = 0;
  for (const other of others) {
    if (!other) continue;
    const along = (p: number, q: number) =>
      Math.max(
        0,
        Math.min(p + pose.size / 2, q + other.size / 2) - Math.max(p - pose.size / 2, q - other.size / 2),
      );
    covered += 0.75 * along(pose.x, other.x) * along(pose.y, other.y) / pose.size ** 2;
  }
  return covered > covered_share_max;
}

/** "a dog and two cats", left to right; "nothing". */
export function captionOf(truths: readonly Truth[]): string {
  const counts = new Map<number, number>();
  const clear = truths.filter(({ unsure }) => !unsure).sort((a, b) => a.x - b.x);
  for (const { thing } of clear) counts.set(thing, (counts.get(thing) ?? 0) + 1);
  const parts = [...counts].map(([thing, count]) => {
    const { name } = things[thing]!;
    return count === 1 ? withArticle(name) : `${numberWord(count)} ${pluralOf(name)}`;
  });
  if (parts.length === 0) return "nothing";
  if (parts.length === 1) return parts[0]!;
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
