// Cells to objects to vectors, as a graph: object_picking.ts and slots.ts once more, with every loop unrolled. The two
// must agree; tests/train/tower_slots_test.ts holds them together. Must not know how cells are made.
import type { Value } from "./graph.ts";
import type { ObjectGraph } from "./object_graph.ts";
import { writeMotion } from "./object_motion.ts";
import {
  type CellGrid,
  log_size_max,
  log_size_min,
  objectness_min,
  same_thing_sides,
  same_thing_sizes,
} from "../object_picking.ts";
import { luma_weights } from "../frame_light.ts";
import { knots, slots_per_frame, third_edge } from "../slots.ts";

export interface FrameValues {
  /** [N, cells, C + 1]. */
  logits: Value;
  /** [N, cells, 8]. */
  boxes: Value;
  /** Float [N, H, W, 3] of 0..1. */
  light: Value;
}

/** [N, 4, F]. */
export function writeObjectSlots(
  parts: ObjectGraph,
  now: FrameValues,
  before: FrameValues,
  grid: CellGrid,
  least = objectness_min,
): Value {
  const table = cellTable(parts, now.logits, now.boxes, grid);
  const still = leftToRight(parts, pick(parts, table, grid, least), grid.classes);
  const table_before = cellTable(parts, before.logits, before.boxes, grid);
  const picked = writeMotion(parts, still, table_before, grid.classes, grid.rows * grid.columns);
  const light = lightFeatures(parts, before.light, now.light);
  const nothing = parts.step("Mul", [parts.columns(picked, 0, 1), parts.number(0)]);
  const which = parts.step("Add", [
    nothing,
    parts.numbers([1, slots_per_frame, slots_per_frame], identity()),
  ]);
  const lit = parts.step("Add", [nothing, parts.step("Unsqueeze", [light, parts.integers(1)])]);
  const seen = parts.columns(picked, 0, grid.classes + 1);
  return parts.step("Concat", [seen, geometry(parts, picked, grid.classes), lit, which], { axis: -1 });
}

/** Columns behind the classes: of cells the first four and the last, of objects all. */
const column_names = ["objectness", "x", "y", "size", "vx", "vy", "growth", "fresh", "visible"] as const;
type Column = typeof column_names[number];

function column(parts: ObjectGraph, table: Value, classes: number, name: Column): Value {
  const at = classes + column_names.indexOf(name);
  return parts.columns(table, at, at + 1);
}

/** Every cell by itself: classes, objectness, x, y, size, visible: [N, cells, C + 5]. */
function cellTable(
  parts: ObjectGraph,
  logits: Value,
  boxes: Value,
  { rows, columns, classes }: CellGrid,
): Value {
  const shares = parts.step("Softmax", [logits], { axis: -1 });
  const objectness = parts.step("Sub", [parts.number(1), parts.columns(shares, classes, classes + 1)]);
  const middles = Array.from(
    { length: rows * columns },
    (_, cell) => [cell % columns, Math.floor(cell / columns)],
  )
    .flat().map((at) => at + 0.5);
  const places = parts.step("Mul", [
    parts.step("Add", [parts.columns(boxes, 0, 2), parts.numbers([rows * columns, 2], middles)]),
    parts.numbers([2], [1 / columns, 1 / rows]),
  ]);
  const log_size = parts.step("Clip", [
    parts.columns(boxes, 2, 3),
    parts.number(log_size_min),
    parts.number(log_size_max),
  ]);
  return parts.step("Concat", [
    parts.columns(shares, 0, classes),
    objectness,
    places,
    parts.step("Exp", [log_size]),
    parts.step("Sigmoid", [parts.columns(boxes, 7, 8)]),
  ], { axis: -1 });
}

interface Picked {
  /** [N, 4, C + 5] in the order of objectness. */
  rows: Value;
  /** [N, 4]: 1 or 0. */
  present: Value;
}

/** One round per slot: the surest cell that is open, then all that mean the same thing are closed. */
function pick(parts: ObjectGraph, table: Value, { rows, columns, classes }: CellGrid, least: number): Picked {
  const cells = rows * columns, last_axis = parts.integers(-1);
  const places = parts.columns(table, classes + 1, classes + 3);
  let open = parts.step("Squeeze", [column(parts, table, classes, "objectness"), last_axis]);
  const found: Value[] = [], present: Value[] = [];
  for (let round = 0; round < slots_per_frame; round++) {
    const best = parts.step("ArgMax", [open], { axis: 1, keepdims: 1 });
    const chosen = oneHot(parts, best, cells);
    const row = parts.step("MatMul", [chosen, table]);
    const level = parts.step("ReduceMax", [open], { axes: [1], keepdims: 1 });
    found.push(row);
    present.push(parts.step("Cast", [parts.step("GreaterOrEqual", [level, parts.number(least)])], { to: 1 }));
    const reach = parts.step("Max", [
      parts.number(same_thing_sides),
      parts.step("Mul", [column(parts, row, classes, "size"), parts.number(same_thing_sizes)]),
    ]);
    const away = parts.step("Abs", [
      parts.step("Sub", [places, parts.columns(row, classes + 1, classes + 3)]),
    ]);
    const farthest = parts.step("ReduceMax", [away], { axes: [-1], keepdims: 0 });
    const same = parts.step("Less", [farthest, parts.step("Squeeze", [reach, last_axis])]);
    open = parts.step("Where", [same, parts.number(-1), open]);
  }
  return {
    rows: parts.step("Concat", found, { axis: 1 }),
    present: parts.step("Concat", present, { axis: 1 }),
  };
}

/** Sorted by x, empty ones last and all zero. */
function leftToRight(parts: ObjectGraph, { rows, present }: Picked, classes: number): Value {
  const x = parts.step("Squeeze", [column(parts, rows, classes, "x"), parts.integers(-1)]);
  const far = parts.step("Mul", [parts.step("Sub", [parts.number(1), present]), parts.number(1e6)]);
  const sorted = parts.graph.nodes(
    "TopK",
    "left_to_right",
    ["left_to_right.x", "left_to_right.from"],
    [parts.step("Add", [x, far]), parts.integers(slots_per_frame)],
    { axis: -1, largest: 0, sorted: 1 },
  );
  const full = parts.step("Mul", [rows, parts.step("Unsqueeze", [present, parts.integers(-1)])]);
  return parts.step("MatMul", [oneHot(parts, sorted[1]!, slots_per_frame), full]);
}

/** int64 [N, k] to float [N, k, depth]. */
function oneHot(parts: ObjectGraph, indices: Value, depth: number): Value {
  return parts.step("OneHot", [indices, parts.integers(depth), parts.numbers([2], [0, 1])], { axis: -1 });
}

function identity(): number[] {
  return Array.from({ length: slots_per_frame ** 2 }, (_, at) => at % (slots_per_frame + 1) === 0 ? 1 : 0);
}

/** slots.ts, geometryFeatures: [N, 4, 34]. */
function geometry(parts: ObjectGraph, table: Value, classes: number): Value {
  const of = (name: Column) => column(parts, table, classes, name);
  const times = (value: Value, factor: number) => parts.step("Mul", [value, parts.number(factor)]);
  const plus = (value: Value, added: number) => parts.step("Add", [value, parts.number(added)]);
  const bent = (value: Value, by: number) => parts.step("Tanh", [times(value, 1 / by)]);
  const [x, y, vx, vy, growth] = [of("x"), of("y"), of("vx"), of("vy"), of("growth")];
  const squares = parts.step("Add", [parts.step("Mul", [vx, vx]), parts.step("Mul", [vy, vy])]);
  const speed = parts.step("Sqrt", [squares]);
  const nine = parts.step("Mul", [
    parts.step("Unsqueeze", [thirds(parts, y), parts.integers(-1)]),
    parts.step("Unsqueeze", [thirds(parts, x), parts.integers(-2)]),
  ]);
  const all = parts.step("Concat", [
    hats(parts, x),
    hats(parts, y),
    parts.step("Reshape", [nine, parts.integers(0, 0, 9)]),
    plus(times(of("size"), 3), -1),
    bent(vx, 0.03),
    bent(vy, 0.03),
    times(vx, 6),
    times(vy, 6),
    bent(speed, 0.02),
    bent(speed, 0.08),
    bent(growth, 0.05),
    times(growth, 6),
    of("fresh"),
    plus(times(of("visible"), 2), -1),
  ], { axis: -1 });
  return parts.step("Mul", [all, of("objectness")]);
}

/** [N, 4, 1] to [N, 4, 7]. */
function hats(parts: ObjectGraph, value: Value): Value {
  const [first, last] = [knots[0]!, knots.at(-1)!], distance = (last - first) / (knots.length - 1);
  const inside = parts.step("Clip", [value, parts.number(first), parts.number(last)]);
  const away = parts.step("Abs", [parts.step("Sub", [inside, parts.numbers([knots.length], knots)])]);
  const height = parts.step("Sub", [parts.number(1), parts.step("Mul", [away, parts.number(1 / distance)])]);
  return parts.step("Max", [parts.number(0), height]);
}

/** [N, 4, 1] to [N, 4, 3]: shares of the first, middle and last third. */
function thirds(parts: ObjectGraph, value: Value): Value {
  const past = parts.step("Mul", [
    parts.step("Sub", [value, parts.numbers([2], [1 / 3, 2 / 3])]),
    parts.number(1 / third_edge),
  ]);
  const behind = parts.step("Clip", [
    parts.step("Add", [past, parts.number(0.5)]),
    parts.number(0),
    parts.number(1),
  ]);
  const differences = parts.step("MatMul", [behind, parts.numbers([2, 3], [-1, 1, 0, 0, -1, 1])]);
  return parts.step("Add", [differences, parts.numbers([3], [1, 0, 0])]);
}

/** slots.ts, lightFeatures, of what frame_light.ts measures: [N, 4]. */
function lightFeatures(parts: ObjectGraph, before: Value, now: Value): Value {
  const whole = { axes: [1, 2, 3], keepdims: 0 };
  const luma = (frame: Value) => {
    const weighed = parts.step("Mul", [frame, parts.numbers([3], luma_weights)]);
    return parts.step("Mul", [parts.step("ReduceMean", [weighed], whole), parts.number(3)]);
  };
  const [bright, bright_before] = [luma(now), luma(before)];
  const difference = parts.step("Abs", [parts.step("Sub", [now, before])]);
  const change = parts.step("ReduceMean", [difference], whole);
  const log = (value: Value) => parts.step("Log", [parts.step("Add", [value, parts.number(0.02)])]);
  const ratio = parts.step("Sub", [log(bright), log(bright_before)]);
  const dark = parts.step("Sub", [parts.number(1), parts.step("Mul", [bright, parts.number(1 / 0.02)])]);
  const features = [
    parts.step("Sub", [parts.step("Mul", [bright, parts.number(2)]), parts.number(1)]),
    parts.step("Tanh", [parts.step("Mul", [ratio, parts.number(1 / 0.1)])]),
    parts.step("Tanh", [parts.step("Mul", [change, parts.number(1 / 0.05)])]),
    parts.step("Max", [parts.number(0), dark]),
  ];
  return parts.step("Concat", features.map((one) => parts.step("Unsqueeze", [one, parts.integers(-1)])), {
    axis: -1,
  });
}
