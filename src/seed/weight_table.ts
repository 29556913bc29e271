// Named float tensors while they are being made. Must not know what they mean.
import type { FloatTensor } from "../model/safetensors.ts";
import { uniform } from "../random.ts";

export class WeightTable {
  readonly tensors = new Map<string, FloatTensor>();
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  put(name: string, shape: readonly number[], data: Float32Array): void {
    this.tensors.set(name, { shape, data });
  }

  /** All elements the same. */
  fill(name: string, shape: readonly number[], value: number): void {
    this.put(name, shape, new Float32Array(count(shape)).fill(value));
  }

  /** Uniform with that standard deviation; only columns (the last axis) inside `columns` when given. */
  draw(name: string, shape: readonly number[], deviation: number, columns?: readonly [number, number]): void {
    const data = uniform(this.#seed, name, count(shape), deviation);
    const width = shape[shape.length - 1];
    if (columns !== undefined) {
      for (let row = 0; row < data.length; row += width) {
        data.fill(0, row, row + columns[0]);
        data.fill(0, row + columns[1], row + width);
      }
    }
    this.put(name, shape, data);
  }

  /** Subtracts from every row its mean over those columns. */
  centreRows(name: string, [from, to]: readonly [number, number]): void {
    const { shape, data } = this.#find(name);
    for (let row = 0; row < data.length; row += shape[1]) centre(data.subarray(row + from, row + to));
  }

  /** Sets all rows outside `rows` to zero: the matrix writes nothing there. */
  keepRows(name: string, rows: readonly [number, number]): void {
    const { shape, data } = this.#find(name);
    data.fill(0, 0, rows[0] * shape[1]);
    data.fill(0, rows[1] * shape[1]);
  }

  clear(name: string): void {
    this.#find(name).data.fill(0);
  }

  clearRows(name: string, from: number, to: number): void {
    const { shape, data } = this.#find(name);
    data.fill(0, from * shape[1], to * shape[1]);
  }

  clearColumns(name: string, from: number, to: number): void {
    const { shape, data } = this.#find(name);
    for (let row = 0; row < data.length; row += shape[1]) data.fill(0, row + from, row + to);
  }

  /** One element: of a matrix by row and column, of a vector by position. */
  set(name: string, row: number, column: number, value: number): void {
    const { shape, data } = this.#find(name);
    const at = shape.length === 2 ? row * shape[1] + column : column;
    if (at < 0 || at >= data.length) throw new RangeError(`"${name}" has no element ${row}, ${column}`);
    data[at] = value;
  }

  setRange(name: string, from: number, to: number, value: number): void {
    this.#find(name).data.fill(value, from, to);
  }

  #find(name: string): FloatTensor {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw new RangeError(`There is no tensor "${name}"`);
    return tensor;
  }
}

function centre(values: Float32Array): void {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  for (let index = 0; index < values.length; index++) values[index] -= mean;
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
