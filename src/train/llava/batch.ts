// Sequences and the features of their pictures become a batch of rwkv_train.h. Owns padding and the order of the vectors.
// Must not know samples, files or vocabularies.
import type { Batch } from "../ports.ts";
import { type Cut, ignored, toTargets } from "./sequence.ts";

export interface BatchRow {
  cut: Cut;
  /** Rows of `width` floats of all its pictures, in order; those that were cut off included. */
  features: readonly Float32Array[];
}

const padding = -2;

/**
 * `length`: positions of every row, at least as many as the longest has. Without "weights" every target weighs
 * 1 / (rows * targets of its row), which is the loss of spec 6.7.
 */
export function packBatch(rows: readonly BatchRow[], width: number, length: number): Batch {
  const tokens = new Int32Array(rows.length * length).fill(padding);
  const targets = new Int32Array(rows.length * length).fill(ignored);
  const vectors = new Float32Array(rows.reduce((sum, { cut }) => sum + cut.vectors, 0) * width);
  let filled = 0;
  for (const [index, { cut, features }] of rows.entries()) {
    tokens.set(cut.tokens, index * length);
    targets.set(toTargets(cut.labels), index * length);
    // Vectors of this row only: a row that was cut short leaves those of the next one where they belong.
    let skip = cut.vectors_before * width, left = cut.vectors * width;
    for (const all of features) {
      const part = all.subarray(Math.min(skip, all.length), Math.min(skip + left, all.length));
      skip -= Math.min(skip, all.length);
      vectors.set(part, filled);
      filled += part.length;
      left -= part.length;
    }
    if (left !== 0) {
      throw new RangeError(`A row has places for ${left / width} more vectors than its pictures`);
    }
  }
  const dims = [rows.length, length];
  return {
    tokens: { dims, data: tokens },
    targets: { dims, data: targets },
    ...(vectors.length > 0 ? { vectors: { dims: [vectors.length / width, width], data: vectors } } : {}),
  };
}
