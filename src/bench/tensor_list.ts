// Names, shapes and sensible values of tensors, one after the other: what a checkpoint is before it has bytes.
// Must not know files, towers or language models.

/** Uniform random numbers: `offset` plus at most `spread` to either side. */
export interface TensorSpec {
  name: string;
  shape: readonly number[];
  offset: number;
  spread: number;
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function countElements(tensors: readonly TensorSpec[]): number {
  return tensors.reduce((sum, { shape }) => sum + elementsOf(shape), 0);
}

/** Collects tensors under a common beginning of their names. Values keep activations of order one. */
export class TensorList {
  readonly tensors: TensorSpec[] = [];

  constructor(readonly prefix = "") {}

  add(name: string, shape: readonly number[], spread: number, offset = 0): this {
    this.tensors.push({ name: this.prefix + name, shape, offset, spread });
    return this;
  }

  /** A matrix that keeps the size of what it multiplies: uniform with variance 1 / columns. */
  matrix(name: string, rows: number, columns: number, gain = 1): this {
    return this.add(name, [rows, columns], gain * Math.sqrt(3 / columns));
  }

  /** `name.weight` [out, in] and `name.bias` [out]. */
  linear(name: string, width_in: number, width_out: number): this {
    return this.matrix(`${name}.weight`, width_out, width_in).add(`${name}.bias`, [width_out], 0.02);
  }

  /** `name.weight` and `name.bias` of a norm. */
  norm(name: string, width: number): this {
    return this.add(`${name}.weight`, [width], 0.1, 1).add(`${name}.bias`, [width], 0.02);
  }
}
