// object_motion.ts (one folder up) as a graph; tests/train/tower_slots_test.ts holds the two together. Must not know how
// cells are made or picked.
import { match_min, motion_reach, place_share, size_min } from "../object_motion.ts";
import type { Value } from "./graph.ts";
import type { ObjectGraph } from "./object_graph.ts";

/**
 * `picked` [N, 4, C + 5] and the cells of the frame before [N, cells, C + 5] (classes, objectness, x, y, size, visible) to
 * [N, 4, C + 9]: vx, vy, growth and fresh stand in front of visible.
 */
export function writeMotion(
  parts: ObjectGraph,
  picked: Value,
  before: Value,
  classes: number,
  cells: number,
): Value {
  const at = (table: Value, column: number) => parts.columns(table, classes + column, classes + column + 1);
  const across = (column: number) => parts.step("Transpose", [at(before, column)], { perm: [0, 2, 1] });
  const roots = (table: Value) => parts.step("Sqrt", [parts.columns(table, 0, classes)]);
  const likeness = parts.step("MatMul", [
    roots(picked),
    parts.step("Transpose", [roots(before)], { perm: [0, 2, 1] }),
  ]);
  const away = (column: number) =>
    parts.step("Abs", [parts.step("Sub", [at(picked, column), across(column)])]);
  const farthest = parts.step("Max", [away(1), away(2)]);
  const near = parts.step("Max", [
    parts.number(0),
    parts.step("Sub", [parts.number(1), parts.step("Mul", [farthest, parts.number(1 / motion_reach)])]),
  ]);
  const alike = parts.step("Add", [
    parts.step("Mul", [likeness, parts.number(1 - place_share)]),
    parts.number(place_share),
  ]);
  const score = parts.step("Mul", [parts.step("Mul", [across(0), near]), alike]);
  const best = parts.step("ArgMax", [score], { axis: -1, keepdims: 0 });
  const chosen = parts.step("OneHot", [best, parts.integers(cells), parts.numbers([2], [0, 1])], {
    axis: -1,
  });
  const match = parts.step("MatMul", [chosen, before]);
  const level = parts.step("ReduceMax", [score], { axes: [-1], keepdims: 1 });
  const matched = parts.step("Cast", [parts.step("GreaterOrEqual", [level, parts.number(match_min)])], {
    to: 1,
  });
  const log_size = (table: Value) =>
    parts.step("Log", [parts.step("Max", [at(table, 3), parts.number(size_min)])]);
  const change = (now: Value, then: Value) => parts.step("Mul", [matched, parts.step("Sub", [now, then])]);
  const chosen_likeness = parts.step("MatMul", [
    parts.step("Unsqueeze", [chosen, parts.integers(2)]),
    parts.step("Unsqueeze", [likeness, parts.integers(3)]),
  ]);
  const same = parts.step("Mul", [
    parts.step("Mul", [matched, at(match, 0)]),
    parts.step("Squeeze", [chosen_likeness, parts.integers(3)]),
  ]);
  return parts.step("Concat", [
    parts.columns(picked, 0, classes + 4),
    change(at(picked, 1), at(match, 1)),
    change(at(picked, 2), at(match, 2)),
    change(log_size(picked), log_size(match)),
    parts.step("Sub", [parts.number(1), same]),
    at(picked, 4),
  ], { axis: -1 });
}
