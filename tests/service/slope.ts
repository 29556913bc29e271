// Is a series flat? Least-squares slope with its 95% confidence interval, robust to neighbouring samples being alike.

export interface Slope {
  /** Change over the whole series, in units of the samples. */
  change: number;
  /** Half width of the 95% confidence interval of `change`. */
  margin: number;
  mean: number;
}

/**
 * Samples at even spacing. They are averaged in `blocks` blocks first, so that autocorrelation within a block does not
 * make the interval too narrow; then ordinary least squares over the block means with Student's t.
 */
export function measureSlope(samples: readonly number[], blocks = 20): Slope {
  const size = Math.floor(samples.length / blocks);
  if (size < 1) throw new Error(`${samples.length} samples are too few for ${blocks} blocks`);
  const means = Array.from({ length: blocks }, (_, block) => {
    const part = samples.slice(block * size, (block + 1) * size);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const mean = means.reduce((sum, value) => sum + value, 0) / blocks;
  const centre = (blocks - 1) / 2;
  let xy = 0;
  let xx = 0;
  means.forEach((value, x) => {
    xy += (x - centre) * (value - mean);
    xx += (x - centre) ** 2;
  });
  const slope = xy / xx;
  const residual = means.reduce((sum, value, x) => sum + (value - mean - slope * (x - centre)) ** 2, 0);
  const error = Math.sqrt(residual / (blocks - 2) / xx);
  // Student's t, 97.5%, 18 degrees of freedom; for 20 blocks.
  const t = 2.101;
  return { change: slope * (blocks - 1), margin: t * error * (blocks - 1), mean };
}
