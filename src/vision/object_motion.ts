// How objects moved: each one that is seen now is looked for among the cells of the frame one tick before, by likeness and
// nearness. The definition; onnx/object_motion.ts is the same as a graph. Pure; must not know towers or frames.
import type { Detection } from "./slots.ts";

/** Farther than this in one tick, along either axis, nothing moves: frame sides. */
export const motion_reach = 0.4;
/** What nearness counts alone, when the likeness is none: the same place, another thing. */
export const place_share = 0.3;
/** From this score on it is the same object, or another in its place. */
export const match_min = 0.2;
/** Keeps logarithms of sizes finite. */
export const size_min = 0.006;

/** Motion and newness of `found`, whose other numbers stay. `before`: all cells of the frame one tick ago. */
export function seeMotion(found: Detection, before: readonly Detection[]): Detection {
  let best = 0, level = -1, best_likeness = 0;
  before.forEach((cell, index) => {
    const likeness = likenessOf(found, cell);
    const away = Math.max(Math.abs(found.x - cell.x), Math.abs(found.y - cell.y));
    const near = Math.max(0, 1 - away / motion_reach);
    const score = cell.objectness * near * (place_share + (1 - place_share) * likeness);
    if (score > level) [best, level, best_likeness] = [index, score, likeness];
  });
  const match = before[best]!, matched = level >= match_min ? 1 : 0;
  return {
    ...found,
    vx: matched * (found.x - match.x),
    vy: matched * (found.y - match.y),
    growth: matched * (Math.log(Math.max(size_min, found.size)) - Math.log(Math.max(size_min, match.size))),
    fresh: 1 - matched * match.objectness * best_likeness,
  };
}

/** Bhattacharyya coefficient of the classes: 0 for other things, near 1 for the same, when both are sure. */
function likenessOf(a: Detection, b: Detection): number {
  let sum = 0;
  for (let one = 0; one < a.probabilities.length; one++) {
    sum += Math.sqrt(a.probabilities[one]! * b.probabilities[one]!);
  }
  return sum;
}
