// A trained object tower as one ONNX model: pairs of frames in (one tick ago, now), four vectors per frame out, each an
// object as slots.ts describes it, or that through a projector. The network is the trainer's (native/train/tower_net.h).
// Must not know where weights come from.
import type { Value } from "./graph.ts";
import { ObjectGraph, type ObjectWeightFormat, type TowerWeights } from "./object_graph.ts";
import { writeObjectSlots } from "./object_slots.ts";
import { slots_per_frame, slotWidth } from "../slots.ts";

export interface ObjectTowerOptions {
  /** Words of each class's name, by rows of text.embedding. */
  class_tokens: readonly (readonly number[])[];
  width_px: number;
  height_px: number;
  weights: ObjectWeightFormat;
  /** Below this a cell says nothing; left out: that of object_picking.ts. */
  objectness_min?: number;
  /** "cell_logits" and "cell_box" become outputs, too. */
  heads?: boolean;
}

const head_size = 64;
/** As the trainer sees frames. */
const light_mean = 0.45, light_spread = 0.225, scale_max = 100;

/**
 * The bytes of the model: input "rgb" uint8 [2N, H, W, 3], frames in pairs; output "vectors" [N, 4, F], or [N, 4, D] with
 * the tensors `proj.weight` [D, F] and `proj.bias` [D]. Throws RangeError that names what does not fit.
 */
export function buildObjectTower(
  tensors: TowerWeights,
  options: ObjectTowerOptions,
): Uint8Array<ArrayBuffer> {
  const parts = new ObjectGraph(tensors, options.weights);
  const { graph } = parts;
  const { width_px, height_px, class_tokens } = options;
  const rgb = graph.input("rgb", "uint8", ["frames", height_px, width_px, 3]);
  const bytes = parts.step("Reshape", [rgb, parts.integers(-1, 2, height_px, width_px, 3)]);
  const pairs = parts.step("Mul", [parts.step("Cast", [bytes], { to: 1 }), parts.number(1 / 255)]);
  const [before, now] = [0, 1].map((at) =>
    parts.step("Squeeze", [
      ...[parts.step("Slice", [pairs, parts.integers(at), parts.integers(at + 1), parts.integers(1)])],
      parts.integers(1),
    ])
  ) as [Value, Value];
  // Each frame is looked at by itself; what moved is what is elsewhere in the other.
  const frames = parts.step("Reshape", [pairs, parts.integers(-1, height_px, width_px, 3)]);
  const { tokens, width, rows, columns } = writeTrunk(parts, frames, options);
  const all_logits = classLogits(parts, tokens, width, class_tokens);
  const all_boxes = parts.linear("head.box", tokens, width, 8);
  const grid = { rows, columns, classes: class_tokens.length };
  const cells = rows * columns;
  if (options.heads) {
    graph.output("cell_logits", all_logits, "float32", ["frames", cells, grid.classes + 1]);
    graph.output("cell_box", all_boxes, "float32", ["frames", cells, 8]);
  }
  const half = (value: Value, columns: number, at: number) =>
    parts.step("Gather", [
      parts.step("Reshape", [value, parts.integers(-1, 2, cells, columns)]),
      parts.whole(at),
    ], { axis: 1 });
  const frame = (light: Value, at: number) => ({
    logits: half(all_logits, grid.classes + 1, at),
    boxes: half(all_boxes, 8, at),
    light,
  });
  const slots = writeObjectSlots(parts, frame(now, 1), frame(before, 0), grid, options.objectness_min);
  const inputs = slotWidth(grid.classes);
  const vector_width = parts.has("proj.weight")
    ? parts.read("proj.weight", [undefined, inputs]).dims[0]!
    : inputs;
  const vectors = parts.has("proj.weight")
    ? parts.linear("proj", slots, inputs, vector_width, parts.has("proj.bias"))
    : slots;
  graph.output("vectors", vectors, "float32", ["N", slots_per_frame, vector_width]);
  return graph.finish("object_tower");
}

/** Frames of 0..1 to one vector per cell: [N, cells, width]. */
function writeTrunk(
  parts: ObjectGraph,
  frames: Value,
  { width_px, height_px }: ObjectTowerOptions,
): { tokens: Value; width: number; rows: number; columns: number } {
  const lit = parts.step("Mul", [
    parts.step("Sub", [frames, parts.number(light_mean)]),
    parts.number(1 / light_spread),
  ]);
  let x = parts.step("Transpose", [lit], { perm: [0, 3, 1, 2] });
  let width = 3, rows = height_px, columns = width_px;
  for (let at = 0; parts.has(`stem.${at}.weight`); at++) {
    const name = `stem.${at}`;
    const { dims, data } = at === 0
      ? lightKernel(parts)
      : parts.read(`${name}.weight`, [undefined, width, 3, 3]);
    const out = dims[0]!, residual = out === width, stride = residual ? 1 : 2;
    if (!residual) [rows, columns] = [Math.ceil(rows / 2), Math.ceil(columns / 2)];
    const kernel = parts.stored(`${name}.weight`, dims, data);
    let y = parts.step("Conv", [x, kernel, parts.row(`${name}.bias`, out)], {
      kernel_shape: [3, 3],
      pads: [1, 1, 1, 1],
      strides: [stride, stride],
    });
    if (parts.has(`${name}.norm.weight`)) y = parts.groupNorm(`${name}.norm`, y, out, rows, columns);
    y = parts.gelu(y);
    x = residual ? parts.step("Add", [x, y]) : y;
    width = out;
  }
  const flat = parts.step("Reshape", [x, parts.integers(0, width, rows * columns)]);
  const position = parts.read("position", [rows * columns, width]);
  let tokens = parts.step("Add", [
    parts.step("Transpose", [flat], { perm: [0, 2, 1] }),
    parts.graph.floats("position", position.dims, position.data),
  ]);
  for (let layer = 0; parts.has(`blocks.${layer}.norm1.weight`); layer++) {
    tokens = writeBlock(parts, `blocks.${layer}`, tokens, width);
  }
  return { tokens: parts.layerNorm("norm", tokens, width), width, rows, columns };
}

/** The trainer's first kernel has three more inputs, the difference to the frame before: nothing for a frame by itself. */
function lightKernel(parts: ObjectGraph): { dims: readonly number[]; data: Float32Array } {
  const { dims: [out = 0], data } = parts.read("stem.0.weight", [undefined, 6, 3, 3]);
  const half = 3 * 9;
  const kept = new Float32Array(out * half);
  for (let row = 0; row < out; row++) {
    kept.set(data.subarray(2 * half * row, 2 * half * row + half), half * row);
  }
  return { dims: [out, 3, 3, 3], data: kept };
}

function writeBlock(parts: ObjectGraph, name: string, x: Value, width: number): Value {
  const attended = parts.step("Add", [
    x,
    attention(parts, name, parts.layerNorm(`${name}.norm1`, x, width), width),
  ]);
  const inner = parts.read(`${name}.mlp.up.bias`, [undefined]).dims[0]!;
  const up = parts.linear(`${name}.mlp.up`, parts.layerNorm(`${name}.norm2`, attended, width), width, inner);
  return parts.step("Add", [attended, parts.linear(`${name}.mlp.down`, parts.gelu(up), inner, width)]);
}

function attention(parts: ObjectGraph, name: string, x: Value, width: number): Value {
  const heads = width / head_size;
  if (!Number.isInteger(heads)) {
    throw new RangeError(`The tower is ${width} wide, not a multiple of ${head_size}`);
  }
  const all = parts.linear(`${name}.attn.qkv`, x, width, 3 * width);
  const split = parts.integers(0, 0, heads, head_size);
  const part = (at: number, perm: readonly number[]) => {
    const columns = parts.columns(all, at * width, (at + 1) * width);
    return parts.step("Transpose", [parts.step("Reshape", [columns, split])], { perm });
  };
  const products = parts.step("MatMul", [part(0, [0, 2, 1, 3]), part(1, [0, 2, 3, 1])]);
  const scores = parts.step("Mul", [products, parts.number(1 / Math.sqrt(head_size))]);
  const mixed = parts.step("MatMul", [parts.step("Softmax", [scores], { axis: -1 }), part(2, [0, 2, 1, 3])]);
  const back = parts.step("Transpose", [mixed], { perm: [0, 2, 1, 3] });
  return parts.linear(
    `${name}.attn.out`,
    parts.step("Reshape", [back, parts.integers(0, 0, width)]),
    width,
    width,
  );
}

/** Cosines to the names of the classes, which are worked out here once for all. */
function classLogits(
  parts: ObjectGraph,
  tokens: Value,
  width: number,
  class_tokens: readonly (readonly number[])[],
): Value {
  const shared = parts.read("head.class.weight", [undefined, width]).dims[0]!;
  const scale = Math.min(scale_max, Math.exp(parts.read("head.class.scale", []).data[0]!));
  const prototypes = [
    ...class_tokens.map((words) => textVector(parts, words, shared)),
    unit(parts.read("head.background", [shared]).data),
  ];
  const matrix = new Float32Array(shared * prototypes.length);
  prototypes.forEach((vector, column) =>
    vector.forEach((value, row) => matrix[row * prototypes.length + column] = value * scale)
  );
  const vectors = parts.linear("head.class", tokens, width, shared, false);
  const length = parts.step("Max", [
    parts.step("ReduceL2", [vectors], { axes: [-1], keepdims: 1 }),
    parts.number(1e-6),
  ]);
  const directions = parts.step("Div", [vectors, length]);
  return parts.step("MatMul", [
    directions,
    parts.graph.floats("prototypes", [shared, prototypes.length], matrix),
  ]);
}

function textVector(parts: ObjectGraph, words: readonly number[], shared: number): Float32Array {
  const { dims: [count, width], data } = parts.read("text.embedding", [undefined, undefined]);
  const matrix = parts.read("text.out.weight", [shared, width]).data;
  const known = words.every((word) => Number.isInteger(word) && word >= 0 && word < count!);
  if (words.length === 0 || !known) {
    throw new RangeError(`A class's words [${words.join(", ")}] are not in the tower`);
  }
  const mean = new Float32Array(width!);
  for (const word of words) mean.forEach((_, at) => mean[at]! += data[word * width! + at]! / words.length);
  return unit(
    Float32Array.from(
      { length: shared },
      (_, row) => mean.reduce((sum, value, at) => sum + value * matrix[row * width! + at]!, 0),
    ),
  );
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.max(1e-6, Math.hypot(...vector));
  return vector.map((value) => value / length);
}
