// The vectors that an object tower hands over: one per object, left to right, in numbers that a linear projector can use.
// This file is the definition; onnx/object_slots.ts writes the same as a graph, and training simulates towers with it.
// Pure; must not know models, frames or training.

/** Vectors of one frame. */
export const slots_per_frame = 4;

/** One object as a tower reports it. Lengths in frame sides, rates per tick. */
export interface Detection {
  /** P of each class, without the background; they sum to `objectness`. */
  probabilities: ArrayLike<number>;
  /** 1 - P(background). */
  objectness: number;
  x: number;
  y: number;
  size: number;
  vx: number;
  vy: number;
  /** Of the natural logarithm of size. */
  growth: number;
  /** P that it was not there one tick ago. */
  fresh: number;
  /** Share of it inside the frame. */
  visible: number;
}

export interface FrameLight {
  /** Mean luma of the frame and of the one before, 0 to 1. */
  luma: number;
  luma_before: number;
  /** Mean absolute difference of the two frames, 0 to 1. */
  change: number;
}

/** Centres of the triangles that say where along an axis something is; neighbours overlap. */
export const knots: readonly number[] = [-0.05, 0.133, 0.317, 0.5, 0.683, 0.867, 1.05];
const knot_distance = (knots[6]! - knots[0]!) / 6;
/** Over this many frame sides one third becomes the next. */
export const third_edge = 0.04;
const geometry_width = 2 * 7 + 9 + 1 + 6 + 2 + 2;
const light_width = 4;

/** F: floats of one slot. Order: classes, objectness, geometry, light, which slot it is. */
export function slotWidth(classes: number): number {
  return classes + 1 + geometry_width + light_width + slots_per_frame;
}

/** Left to right; at most `slots_per_frame`, the surest. */
export function orderDetections(detections: readonly Detection[]): Detection[] {
  return [...detections].sort((a, b) => b.objectness - a.objectness).slice(0, slots_per_frame)
    .sort((a, b) => a.x - b.x);
}

/** Fills `out` with slots_per_frame x slotWidth(classes) floats, row-major. A slot without an object knows the light alone. */
export function writeSlots(
  detections: readonly Detection[],
  light: FrameLight,
  classes: number,
  out: Float32Array,
): void {
  const width = slotWidth(classes);
  const lit = lightFeatures(light);
  out.fill(0);
  for (let slot = 0; slot < slots_per_frame; slot++) {
    const row = out.subarray(slot * width, (slot + 1) * width);
    const found = detections[slot];
    if (found) {
      for (let one = 0; one < classes; one++) row[one] = found.probabilities[one]!;
      row[classes] = found.objectness;
      geometryFeatures(found).forEach((value, index) => row[classes + 1 + index] = value * found.objectness);
    }
    row.set(lit, classes + 1 + geometry_width);
    row[classes + 1 + geometry_width + light_width + slot] = 1;
  }
}

function geometryFeatures({ x, y, size, vx, vy, growth, fresh, visible }: Detection): number[] {
  const column = thirds(x), row = thirds(y);
  return [
    ...hats(x),
    ...hats(y),
    ...row.flatMap((down) => column.map((across) => down * across)),
    size * 3 - 1,
    Math.tanh(vx / 0.03),
    Math.tanh(vy / 0.03),
    vx * 6,
    vy * 6,
    Math.tanh(Math.sqrt(vx * vx + vy * vy) / 0.02),
    Math.tanh(Math.sqrt(vx * vx + vy * vy) / 0.08),
    Math.tanh(growth / 0.05),
    growth * 6,
    fresh,
    visible * 2 - 1,
  ];
}

function hats(value: number): number[] {
  const inside = Math.min(knots[6]!, Math.max(knots[0]!, value));
  return knots.map((knot) => Math.max(0, 1 - Math.abs(inside - knot) / knot_distance));
}

/** Shares of the first, middle and last third. */
function thirds(value: number): [number, number, number] {
  const behind = (edge: number) => Math.min(1, Math.max(0, (value - edge) / third_edge + 0.5));
  const first = behind(1 / 3), second = behind(2 / 3);
  return [1 - first, first - second, second];
}

function lightFeatures({ luma, luma_before, change }: FrameLight): number[] {
  const ratio = Math.log((luma + 0.02) / (luma_before + 0.02));
  return [luma * 2 - 1, Math.tanh(ratio / 0.1), Math.tanh(change / 0.05), Math.max(0, 1 - luma / 0.02)];
}
