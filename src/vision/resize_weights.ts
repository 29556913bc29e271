// Which pixels make one pixel of a resized picture, and how much each: the arithmetic of Pillow 9, bit for bit
// (spec Appendix C). The order of every floating-point operation matters here. Must not know pixels.

export type Filter = "bicubic" | "bilinear" | "lanczos";

/** Bits behind the point of a weight: 8 for the pixel and 2 for overshoot leave 22 of 32. */
export const weight_bits = 22;

/** Outputs `first` … of one axis. Output i reads `counts[i]` inputs from `starts[i]` on. */
export interface AxisWeights {
  starts: Int32Array;
  counts: Int32Array;
  /** `taps` fixed-point weights per output, those beyond its count are 0. */
  weights: Int32Array;
  taps: number;
}

interface Kernel {
  /** Inputs further away than this have no weight, at scale 1. */
  support: number;
  weigh(distance: number): number;
}

const kernels: Record<Filter, Kernel> = {
  bilinear: {
    support: 1,
    weigh: (distance) => {
      const x = Math.abs(distance);
      return x < 1 ? 1 - x : 0;
    },
  },
  bicubic: {
    support: 2,
    weigh: (distance) => {
      const a = -0.5;
      const x = Math.abs(distance);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  },
  lanczos: { support: 3, weigh: (x) => -3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0 },
};

/** V8's sine and C's may differ in the last of 53 bits; 22 of them are kept. */
function sinc(x: number): number {
  if (x === 0) return 1;
  const angle = x * Math.PI;
  return Math.sin(angle) / angle;
}

/**
 * The weights of outputs `first` to `first + count - 1` of an axis that is resized from `size_in` to `size_out`.
 * Downwards the filter is as wide as the step between outputs, so that every input counts.
 */
export function axisWeights(
  filter: Filter,
  size_in: number,
  size_out: number,
  first = 0,
  count = size_out,
): AxisWeights {
  const { support: unscaled_support, weigh } = kernels[filter];
  const scale = size_in / size_out;
  const filter_scale = Math.max(scale, 1);
  const support = unscaled_support * filter_scale;
  const step = 1 / filter_scale;
  const taps = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(count);
  const counts = new Int32Array(count);
  const weights = new Int32Array(count * taps);
  const exact = new Float64Array(taps);
  for (let index = 0; index < count; index++) {
    const centre = (first + index + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(size_in, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let tap = 0; tap < end - start; tap++) {
      exact[tap] = weigh((tap + start - centre + 0.5) * step);
      sum += exact[tap];
    }
    for (let tap = 0; tap < end - start; tap++) {
      const share = (sum === 0 ? exact[tap] : exact[tap] / sum) * (1 << weight_bits);
      weights[index * taps + tap] = Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    }
    starts[index] = start;
    counts[index] = end - start;
  }
  return { starts, counts, weights, taps };
}
