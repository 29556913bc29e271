// The native engine's logits against rwkv_reference.py, on random models of every generation straight from
// safetensors files. What the importer makes of other containers is in parity_import_test.ts.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { openEngine } from "../../ffi/mod.ts";
import {
  distance,
  expectBelow,
  library_path,
  logitErrorMax,
  missingLibrary,
  missingPython,
  readFloats,
  runPython,
  temporaryFolder,
} from "./python_cases.ts";

interface Case {
  name: string;
  file: string;
  container: string;
  version: number;
  width: number;
  layers: number;
  vocab: number;
  tokens: number[];
  logits: string;
}

const missing = missingPython("torch", "numpy") ?? missingLibrary();

describe("logits against the reference", () => {
  let folder: string, cases: Case[];
  beforeAll(async () => {
    folder = await temporaryFolder();
    cases = await runPython<Case[]>("rwkv_cases.py", folder);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  for (const version of [7, 6, 5]) {
    it.unless(missing, `RWKV-${version}, every position`, async () => {
      const own = cases.filter((one) => one.version === version && one.container === "safetensors");
      expect(own.length).toBeGreaterThan(2);
      for (const one of own) {
        const { worst, largest } = distance(await logitsOf(one), await readFloats(one.logits));
        expectBelow(logitErrorMax(one.name), one.name, worst);
        expect(largest).toBeGreaterThan(0.5);
      }
    });
  }
});

async function logitsOf(one: Case): Promise<number[]> {
  await using engine = await openEngine({
    library_path,
    device: "cpu",
    weights_path: one.file,
    states_max: 1,
    threads: 1,
  });
  expect(engine.info).toMatchObject({ rwkv_version: one.version, width: one.width, layers: one.layers });
  using state = engine.open();
  state.keepLogits(true);
  state.putTokens(one.tokens);
  while (state.pending > 0) await engine.run();
  return state.takeLogits().flatMap((row) => [...row]);
}
