// Our engine against llama.cpp, an implementation that shares nothing with ours: logits of every position and greedy
// tokens of random RWKV-7 and RWKV-6 models, from the same GGUF file and from the same numbers as safetensors.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openEngine } from "../../ffi/mod.ts";
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

interface Case {
  name: string;
  gguf: string;
  safetensors: string;
  version: number;
  type: string;
  tokens: number[];
}

const binaries = fileURLToPath(
  new URL("../../node_modules/@node-llama-cpp/linux-x64/bins/linux-x64", import.meta.url),
);
const usable = Deno.build.os === "linux" && Deno.build.arch === "x86_64" && existsSync(binaries);
const missing = usable
  ? missingPython("torch", "numpy") ?? missingLibrary()
  : "there is no llama.cpp for this machine in node_modules";
const greedy = 24;
/**
 * Largest difference of a logit (largest logit: 4). llama.cpp multiplies f32 in float32; for f16 and q8_0 it may round
 * the other side of every product, too, which depends on the processor. Measured: 3e-6, 2e-4, 4e-2.
 */
const error_max: Record<string, number> = { f32: 1e-4, f16: 0.02, q8_0: 0.2 };

describe("logits against llama.cpp", () => {
  let folder: string, cases: Case[];
  beforeAll(async () => {
    folder = await temporaryFolder();
    cases = await runPython<Case[]>("llama_cases.py", folder);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  for (const name of ["RWKV-7 f32", "RWKV-7 f16", "RWKV-7 q8_0", "RWKV-6 f32", "RWKV-6 f16"]) {
    it.unless(missing, name, async () => {
      const one = cases.find((each) => each.name === name)!;
      const wanted = await askLlama(one, join(folder, "llama.f32"));
      for (const weights_path of [one.safetensors, one.gguf]) {
        const found = await askEngine(one, weights_path);
        const { worst, largest } = distance(found.logits, wanted.logits);
        expectBelow(error_max[one.type]!, `${name}, ${weights_path.split(".").at(-1)}`, worst);
        expect(largest).toBeGreaterThan(0.5);
        if (one.type === "f32") expect(found.greedy).toEqual(wanted.greedy);
      }
    });
  }
});

interface Answer {
  logits: ArrayLike<number>;
  greedy: number[];
}

async function askLlama(one: Case, out: string): Promise<Answer> {
  const script = fileURLToPath(new URL("./llama_logits.ts", import.meta.url));
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", "--cached-only", "--no-check", "--config", config, script],
      ...[binaries, one.gguf, one.tokens.join(), String(greedy), out],
    ],
  }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`llama.cpp failed: ${text.decode(stderr).slice(-2_000)}`);
  return { logits: await readFloats(out), greedy: JSON.parse(text.decode(stdout)) };
}

async function askEngine(one: Case, weights_path: string): Promise<Answer> {
  await using engine = await openEngine({
    library_path,
    device: "cpu",
    weights_path,
    states_max: 1,
    threads: 1,
  });
  using state = engine.open();
  state.keepLogits(true);
  state.setSampler({ temperature: 0, top_p: 1, presence_penalty: 0, count_penalty: 0 });
  state.putTokens(one.tokens);
  while (state.pending > 0) await engine.run();
  const logits = state.takeLogits().flatMap((row) => [...row]);
  state.putDecode({ tokens_max: greedy, seed: 1n });
  while (state.pending > 0) await engine.run();
  return { logits, greedy: state.takeTokens().map(({ id }) => id) };
}
