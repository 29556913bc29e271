// Parts of a prompt go into a state: tokens and the vectors of pictures, in slices that the inbox holds, and the padding
// of the official evaluator. Must not know where parts come from or what is said about them.
import { limits } from "./limits.ts";
import type { EngineState, SpanGrid } from "./ports.ts";
import type { Pump } from "./pump.ts";

/** Tokens, or rows of D floats: one picture. */
export type FedPart = { tokens: readonly number[] } | { vectors: Float32Array };

export interface FeedDeps {
  pump: Pump;
  grid: SpanGrid;
  /** D: floats in one vector. */
  width: number;
}

export function positionsOf(part: FedPart, width: number): number {
  return "tokens" in part ? part.tokens.length : part.vectors.length / width;
}

/** Resolves when the state has taken it all. With `go_on` false in between the rest is left out. */
export async function feedPart(
  state: EngineState,
  part: FedPart,
  { pump, grid, width }: FeedDeps,
  go_on: () => boolean,
): Promise<void> {
  const at_once = limits.feed_positions;
  if ("vectors" in part && grid.scan !== "row_major") {
    state.putSpan(part.vectors, grid);
    return await pump.drain(state);
  }
  const count = positionsOf(part, width);
  for (let from = 0; from < count && go_on(); from += at_once) {
    if ("tokens" in part) state.putTokens(part.tokens.slice(from, from + at_once));
    else state.putVectors(part.vectors.subarray(from * width, (from + at_once) * width));
    await pump.drain(state);
  }
}

/**
 * The state as the official evaluator of v7 has it before each token: everything from the start, with copies of one
 * token in front, up to a whole multiple. `said` are the tokens chosen so far.
 */
export async function feedPadded(
  state: EngineState,
  parts: readonly FedPart[],
  said: readonly number[],
  padding: { token: number; multiple: number },
  deps: FeedDeps,
  go_on: () => boolean,
): Promise<void> {
  const count = parts.reduce((sum, part) => sum + positionsOf(part, deps.width), said.length);
  const missing = (padding.multiple - count % padding.multiple) % padding.multiple;
  const front = { tokens: Array<number>(missing).fill(padding.token) };
  state.reset();
  for (const part of [front, ...parts, { tokens: said }]) {
    if (go_on()) await feedPart(state, part, deps, go_on);
  }
}
