// Pictures inside a sequence: the engine, which steps them in bounded pieces, against picture_reference.py, which
// reorders whole sequences layer by layer.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type NativeEngine, type NativeState, openEngine } from "../../ffi/mod.ts";
import type { Scan } from "../../src/pipeline/ports.ts";
import {
  distance,
  expectBelow,
  library_path,
  missingLibrary,
  missingPython,
  readFloats,
  runPython,
  temporaryFolder,
} from "./python_cases.ts";

type Part = { tokens: number[] } | { vectors: string; scan?: Scan; rows?: number; columns?: number };
interface Case {
  name: string;
  file: string;
  version: number;
  width: number;
  parts: Part[];
  logits: string;
  rows: string;
}

const missing = missingPython("torch", "numpy") ?? missingLibrary();
// float32 against float64, up to 600 positions; measured 2e-5 at most.
const error_max = 1e-4;

describe("pictures in a sequence against the reference", () => {
  let folder: string, cases: Case[];
  beforeAll(async () => {
    folder = await temporaryFolder();
    cases = await runPython<Case[]>("span_cases.py", folder);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  for (const version of [6, 7, 5]) {
    it.unless(missing, `RWKV-${version}: every scan order, every position`, async () => {
      const own = cases.filter((one) => one.version === version);
      expect(own.length).toBeGreaterThan(10);
      await using engine = await openCase(own[0]!);
      for (const one of own) {
        using state = engine.open();
        state.keepLogits(true);
        for (const part of one.parts) await put(state, part, one.width);
        while (state.pending > 0) await engine.run();
        check(one, state.takeLogits().flatMap((row) => [...row]), await readFloats(one.logits));
      }
    });

    it.unless(missing, `RWKV-${version}: text one token at a time, another state between`, async () => {
      const own = cases.filter((one) => one.version === version).slice(0, 2);
      await using engine = await openCase(own[0]!);
      const both = own.map((one) => ({ one, state: engine.open(), steps: steps(one.parts) }));
      for (const { state } of both) state.keepLogits(true);
      for (let at = 0; both.some((each) => at < each.steps.length); at++) {
        for (const each of both) {
          if (at < each.steps.length) await put(each.state, each.steps[at]!, each.one.width);
        }
        while (both.some(({ state }) => state.pending > 0)) await engine.run();
      }
      for (const { one, state } of both) {
        check(one, state.takeLogits().flatMap((row) => [...row]), await readFloats(one.logits));
        state.close();
      }
    });
  }

  it.unless(missing, "what stands behind ln_out, in the order of the positions that were put", async () => {
    for (const version of [6, 7, 5]) {
      const one = cases.find((each) => each.version === version && each.name.includes("multidirection"))!;
      await using engine = await openCase(one);
      using state = engine.open();
      state.keepVectors(true);
      for (const part of one.parts) await put(state, part, one.width);
      while (state.pending > 0) await engine.run();
      check(one, state.takeVectors(), await readFloats(one.rows));
    }
  });
});

function check(one: Case, found: ArrayLike<number>, wanted: Float32Array): void {
  const { worst, largest } = distance(found, wanted);
  expectBelow(error_max, one.name, worst);
  expect(largest).toBeGreaterThan(0.5);
}

function openCase(one: Case): Promise<NativeEngine> {
  return openEngine({ library_path, device: "cpu", weights_path: one.file, states_max: 2, threads: 1 });
}

/** The same sequence, one part for each token. */
function steps(parts: Part[]): Part[] {
  return parts.flatMap<Part>((part) =>
    "tokens" in part ? part.tokens.map((token) => ({ tokens: [token] })) : [part]
  );
}

async function put(state: NativeState, part: Part, width: number): Promise<void> {
  if ("tokens" in part) return state.putTokens(part.tokens);
  const vectors = await readFloats(part.vectors);
  expect(vectors.length % width).toBe(0);
  const { scan, rows, columns } = part;
  if (scan === undefined) state.putVectors(vectors);
  else state.putSpan(vectors, { scan, rows: rows!, columns: columns! });
}
