// What the pipeline relies on, as tests: one suite for every engine, fake or real.
// Must not know which engine it runs on.
import { describe } from "@std/testing/bdd";

import { copyLaws } from "./engine_laws_copies.ts";
import { decodeLaws } from "./engine_laws_decodes.ts";
import { lifeLaws } from "./engine_laws_life.ts";
import { type EngineFactory, lawOf } from "./engine_rig.ts";

export type { ContractEngine, EngineFactory } from "./engine_rig.ts";

/** Runs the suite. `skip_reason` skips all of it by name. */
export function engineContract(name: string, factory: EngineFactory, skip_reason?: string): void {
  describe(`engine contract: ${name}`, () => {
    const law = lawOf(factory, skip_reason);
    lifeLaws(law);
    copyLaws(law);
    decodeLaws(law);
  });
}
