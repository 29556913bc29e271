// Matrices as a model file stores them: turned from [out, in] to [in, out], as float32, float16 or int8. Pure; must
// not know graphs.

/** A tile of both matrices stays in the processor's first cache. */
const tile = 32;

/** [rows, columns] → [columns, rows]. */
export function transpose<T extends Float32Array | Int8Array>(data: T, rows: number, columns: number): T {
  const out = new (data.constructor as new (length: number) => T)(data.length);
  for (let top = 0; top < rows; top += tile) {
    const bottom = Math.min(top + tile, rows);
    for (let left = 0; left < columns; left += tile) {
      const right = Math.min(left + tile, columns);
      for (let column = left; column < right; column++) {
        for (let row = top; row < bottom; row++) out[column * rows + row] = data[row * columns + column];
      }
    }
  }
  return out;
}

/** The largest float16. Anything below the middle to the next step, 65 520, is rounded down to it. */
const half_max = 65_504;

/**
 * Rounded to nearest, ties to even; values below 6e-8 become 0. Throws RangeError where float16 has no number for a
 * value: an infinity in the file would be NaN in every picture.
 */
export function toHalf(name: string, data: Float32Array): Float16Array<ArrayBuffer> {
  for (const value of data) {
    if (!(Math.abs(value) < 65_520)) {
      throw new RangeError(
        `"${name}" holds ${value}, and float16 ends at ${half_max}: this tower cannot be stored as fp16`,
      );
    }
  }
  return new Float16Array(data);
}

export interface QuantisedMatrix {
  /** [in, out] in -peak..peak. */
  values: Int8Array;
  /** [out]: values times scales are the weights. */
  scales: Float32Array;
}

/**
 * 7 bits and a sign are not all used: processors without VNNI add two products of uint8 and int8 in 16 bits, and
 * 255 * 64 * 2 is the most that fits there. With 127 such a machine would give wrong sums without a word.
 */
export const int8_peak = 64;

/** From [out, in]; each output column has its own scale. */
export function quantiseRows(data: Float32Array, width_out: number, width_in: number): QuantisedMatrix {
  const rows = new Int8Array(data.length);
  const scales = new Float32Array(width_out);
  for (let row = 0; row < width_out; row++) {
    const from = row * width_in, to = from + width_in;
    let peak = 0;
    for (let index = from; index < to; index++) peak = Math.max(peak, Math.abs(data[index]));
    scales[row] = peak / int8_peak;
    const inverse = peak === 0 ? 0 : int8_peak / peak;
    for (let index = from; index < to; index++) rows[index] = Math.round(data[index] * inverse);
  }
  return { values: transpose(rows, width_out, width_in), scales };
}
