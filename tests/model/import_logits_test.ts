// The same random weights in every container and spelling become bundles that compute the same logits: imported, read
// back, and run through `gander model logits`.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { modelCommand } from "../../src/cli/model.ts";
import { writeSeedVocabulary } from "../../src/seed/seed_vocabulary.ts";
import {
  distance,
  library_path,
  missingLibrary,
  missingPython,
  runPython,
  temporaryFolder,
} from "./python_cases.ts";

const missing = missingPython("torch", "numpy") ?? missingLibrary();
const tokens = "5,700,1,33,261,12,400,77,300,8";

let folder = "";

async function gander(...args: string[]): Promise<string> {
  const written = { out: "", err: "" };
  const status = await modelCommand(args, {
    out: (text) => written.out += text,
    err: (text) => written.err += text,
    library_path,
    default_bundle: () => Promise.reject(new Error("no bundle was named")),
  });
  if (status !== 0) throw new Error(written.err);
  return written.out;
}

/** Imports a file that same_weights.py wrote. */
async function logitsOf(name: string, ...more: string[]): Promise<number[]> {
  const dir = join(folder, `bundle-${name}${more.join("")}`);
  const words = join(folder, "words.txt");
  await gander("import", join(folder, name), "-o", dir, "--tokenizer", words, ...more);
  const text = await gander("logits", "--bundle", dir, "--tokens", tokens, "--json");
  const { vocab, logits } = JSON.parse(text);
  expect([vocab, logits.length]).toEqual([768, 10]);
  return logits.flat();
}

describe("the same weights in every container", () => {
  beforeAll(async () => {
    folder = await temporaryFolder();
    await Deno.writeTextFile(join(folder, "words.txt"), writeSeedVocabulary());
    await runPython("same_weights.py", folder, "768");
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  const spellings: [string, string[]][] = [
    ["rwkv7-f32", ["safetensors", "fla", "gguf"]],
    ["rwkv7-bf16", ["safetensors", "fla"]],
    ["rwkv6-f32", ["safetensors", "gguf"]], // this one with its layers rescaled
    ["rwkv5-f32", ["safetensors"]],
  ];
  for (const [name, containers] of spellings) {
    it.unless(missing, `${name} is the same to the last bit, as ${containers.join(", ")}`, async () => {
      const torch = await logitsOf(`${name}.pth`);
      expect(Math.max(...torch)).toBeGreaterThan(0.1);
      for (const container of containers) {
        const other = await logitsOf(`${name}.${container}`);
        expect([container, distance(other, torch).worst]).toEqual([container, 0]);
      }
    });
  }

  it.unless(missing, "widens bfloat16 without a change", async () => {
    const kept = await logitsOf("rwkv7-bf16.pth", "--force");
    const wide = await logitsOf("rwkv7-bf16.pth", "--dtype", "f32");
    expect(distance(wide, kept).worst).toBeLessThan(1e-4); // other kernels, the same numbers
  });

  it.unless(missing, "holds what blocks of 8 bits say as float16", async () => {
    const exact = await logitsOf("rwkv7-q8_0.gguf", "--dtype", "f32");
    const { worst, largest } = distance(await logitsOf("rwkv7-q8_0.gguf"), exact);
    expect(worst).toBeGreaterThan(0);
    expect(worst / largest).toBeLessThan(2e-3);
  });
});
