// What the laws of the engine contract are written with. Must not know which engine it runs on.
import { it } from "@std/testing/bdd";

import type { Engine, EngineState } from "../../src/pipeline/ports.ts";

export type ContractEngine = Engine & { close?(): Promise<void> };

/** Makes a fresh engine with room for `states_max` states. */
export type EngineFactory = (options: { states_max: number }) => Promise<ContractEngine> | ContractEngine;

/** Token 0 is the silence token of every engine under contract. */
export const silence = 0;

/** The code of the error that `body` throws. */
export function codeOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    return (error as { code?: string }).code ?? `no code: ${error}`;
  }
  return "nothing thrown";
}

/** Runs until none of the states has work. */
export async function toEdge(engine: Engine, ...states: EngineState[]): Promise<void> {
  for (let runs = 0; states.some((state) => state.pending > 0); runs++) {
    if (runs > 10_000) throw new Error("pending never reached 0");
    await engine.run();
  }
}

export async function feed(engine: Engine, state: EngineState, tokens: number[]): Promise<void> {
  state.putTokens(tokens);
  await toEdge(engine, state);
}

export async function decode(
  engine: Engine,
  state: EngineState,
  tokens_max: number,
  seed: bigint,
): Promise<number[]> {
  state.putDecode({ tokens_max, seed });
  await toEdge(engine, state);
  return state.takeTokens().map(({ id }) => id);
}

/** Tokens that fit every vocabulary of 32 or more. 40 of them are several chunks. */
export function some(count: number, seed = 1): number[] {
  return Array.from({ length: count }, (_, i) => 1 + (i * 7 + seed * 5) % 31);
}

/** Registers one promise; its engine has room for 8 states unless said otherwise. */
export type Law = (
  promise: string,
  body: (engine: ContractEngine) => Promise<void>,
  states_max?: number,
) => void;

/** Laws on engines of `factory`; `skip_reason` skips them by name. */
export function lawOf(factory: EngineFactory, skip_reason?: string): Law {
  return (promise, body, states_max = 8) =>
    it.unless(skip_reason, promise, async () => {
      const engine = await factory({ states_max });
      try {
        await body(engine);
      } finally {
        await engine.close?.();
      }
    });
}
