// `gander model import` of plain language models, then the native engine on the bundle it wrote, against
// rwkv_reference.py: every container, number type and generation.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { openEngine } from "../../ffi/mod.ts";
import { importCommand } from "../../src/cli/model_import.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { byteVocabulary } from "./byte_vocabulary.ts";
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
  container: "pth" | "safetensors" | "fla" | "gguf";
  version: number;
  width: number;
  layers: number;
  vocab: number;
  tokens: number[];
  logits: string;
}

const missing = missingPython("torch", "numpy") ?? missingLibrary();

describe("logits of imported checkpoints against the reference", () => {
  let folder: string, tokenizer: string, cases: Case[];
  beforeAll(async () => {
    folder = await temporaryFolder();
    tokenizer = join(folder, "bytes.txt");
    await Deno.writeTextFile(tokenizer, byteVocabulary());
    cases = await runPython<Case[]>("rwkv_cases.py", folder);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  for (const container of ["pth", "safetensors", "fla", "gguf"] as const) {
    for (const version of container === "fla" ? [7] : container === "gguf" ? [7, 6] : [7, 6, 5]) {
      it.unless(missing, `RWKV-${version} from ${container}`, async () => {
        const own = cases.filter((one) =>
          one.container === container && one.version === version && one.vocab > 256
        );
        expect(own.length).toBeGreaterThan(1);
        for (const one of own) {
          const dir = join(folder, one.name);
          // A GGUF file brings its own vocabulary. Blocks of q8_0 do not fit into the 16 bits that are the default.
          const vocabulary = container === "gguf" ? [] : ["--tokenizer", tokenizer];
          const type = one.name.includes("q8_0") ? ["--dtype", "f32"] : [];
          await importPlain([one.file, "-o", dir, ...vocabulary, ...type]);
          const { worst, largest } = distance(await logitsOf(dir, one), await readFloats(one.logits));
          expectBelow(logitErrorMax(one.name), one.name, worst);
          expect(largest).toBeGreaterThan(0.5);
          await Deno.remove(dir, { recursive: true });
        }
      });
    }
  }
});

async function importPlain(args: string[]): Promise<void> {
  let said = "";
  const io = { out: (text: string) => void (said += text), err: () => {} };
  expect([await importCommand(args, io), said !== ""]).toEqual([0, true]);
}

async function logitsOf(dir: string, one: Case): Promise<number[]> {
  const { manifest, weights_path } = await readBundle(dir);
  const { version, width, layers, vocab, tokens } = one;
  expect(manifest.rwkv).toMatchObject({ version, width, layers, vocab });
  await using engine = await openEngine({
    library_path,
    device: "cpu",
    weights_path,
    states_max: 1,
    threads: 1,
  });
  using state = engine.open();
  state.keepLogits(true);
  state.putTokens(tokens);
  while (state.pending > 0) await engine.run();
  return state.takeLogits().flatMap((row) => [...row]);
}
