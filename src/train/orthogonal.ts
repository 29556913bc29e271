// Random matrices with orthogonal rows or columns, the same from a seed on every machine: only sums, products and roots.
// Must not know models.
import { randomStream } from "../random.ts";

/** [rows, columns], row-major: the shorter side's vectors are orthogonal to each other and `gain` long. */
export function orthogonal(
  rows: number,
  columns: number,
  { gain, seed, name }: { gain: number; seed: number; name: string },
): Float32Array<ArrayBuffer> {
  const tall = rows >= columns;
  const count = tall ? columns : rows, length = tall ? rows : columns;
  const vectors = normalVectors(count, length, randomStream(seed, name));
  for (let i = 0; i < count; i++) {
    const vector = vectors[i]!;
    for (let before = 0; before < i; before++) subtractPart(vector, vectors[before]!);
    scale(vector, 1 / Math.sqrt(dot(vector, vector)));
  }
  const out = new Float32Array(rows * columns);
  for (let i = 0; i < count; i++) {
    const vector = vectors[i]!;
    for (let j = 0; j < length; j++) out[tall ? j * columns + i : i * columns + j] = gain * vector[j]!;
  }
  return out;
}

/** Nearly normal: four uniform numbers each, which leaves no direction out. */
function normalVectors(count: number, length: number, next: () => number): Float64Array[] {
  return Array.from({ length: count }, () => {
    const vector = new Float64Array(length);
    for (let j = 0; j < length; j++) vector[j] = next() + next() + next() + next();
    return vector;
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}

/** Takes from `vector` what points along `unit`. In float64 once is enough: random vectors are far from parallel. */
function subtractPart(vector: Float64Array, unit: Float64Array): void {
  const part = dot(vector, unit);
  for (let j = 0; j < vector.length; j++) vector[j]! -= part * unit[j]!;
}

function scale(vector: Float64Array, factor: number): void {
  for (let j = 0; j < vector.length; j++) vector[j]! *= factor;
}
