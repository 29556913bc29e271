// Averaging a grid of patches into a smaller grid, as one matrix. Pure.

export interface Pooling {
  rows: number;
  columns: number;
  pool_rows: number;
  pool_columns: number;
  /** The tokens begin with a class token, which no average includes. */
  class_token: boolean;
  /** The class token is one more output, behind the grid. */
  class_vector: boolean;
}

/**
 * [outputs, tokens], row-major: output cell (i, j) is the mean of rows floor(i R / r) to ceil((i + 1) R / r) and
 * the columns likewise (adaptive average pooling: cells overlap when the grid does not divide evenly, and every
 * patch counts).
 */
export function poolingMatrix(pooling: Pooling): { data: Float32Array; shape: [number, number] } {
  const { rows, columns, pool_rows, pool_columns, class_token, class_vector } = pooling;
  if (pool_rows < 1 || pool_columns < 1 || pool_rows > rows || pool_columns > columns) {
    throw new RangeError(`A grid of ${rows} x ${columns} does not pool to ${pool_rows} x ${pool_columns}`);
  }
  const first = class_token ? 1 : 0;
  const tokens = first + rows * columns;
  const outputs = pool_rows * pool_columns + (class_vector ? 1 : 0);
  const data = new Float32Array(outputs * tokens);
  for (let i = 0; i < pool_rows; i++) {
    const [top, bottom] = span(i, rows, pool_rows);
    for (let j = 0; j < pool_columns; j++) {
      const [left, right] = span(j, columns, pool_columns);
      const share = 1 / ((bottom - top) * (right - left));
      const output = (i * pool_columns + j) * tokens + first;
      for (let row = top; row < bottom; row++) {
        data.fill(share, output + row * columns + left, output + row * columns + right);
      }
    }
  }
  if (class_vector) data[(outputs - 1) * tokens] = 1;
  return { data, shape: [outputs, tokens] };
}

/** From which row to which (exclusive) cell `index` of adaptive average pooling reaches. */
export function span(index: number, size: number, pool_size: number): [number, number] {
  return [Math.floor(index * size / pool_size), Math.ceil((index + 1) * size / pool_size)];
}
