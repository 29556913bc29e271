// Which channel of the seed model's vectors means what. Training would find its own places; random weights need
// them given. Only numbers.

export const channel = {
  /** Held at exactly 1 by the LayerNorms: what a bias is made of. */
  one: 0,
  /** Energy of the difference between this cell of the picture now and its average of the last ticks. */
  energy: 1,
  /** Share of text among the last positions: how much was said lately. */
  fatigue: 2,
  /** Set in every token, not in vectors. */
  text: 3,
  /** One per cell of the picture, four at most. */
  cell_first: 4,
  /** The energy squeezed into 0..1. */
  change: 8,
  /** Minus the sum of all others, so that LayerNorm's mean is zero and no channel leaks into another. */
  balance: 9,
  /** From here to `contentEnd`: what is seen and said, random. */
  content_first: 16,
} as const;

/** Heads of 64 channels that the change reflex takes from layer 0. */
const reflex_heads = 3;
const head_size = 64;

/** The change reflex needs three heads; a narrower model only tires. */
export function hasChangeReflex(width: number): boolean {
  return width >= reflex_heads * head_size;
}

/** End of the content; behind it stand the 64 differences, where there is a change reflex. */
export function contentEnd(width: number): number {
  return hasChangeReflex(width) ? width - head_size : width;
}
