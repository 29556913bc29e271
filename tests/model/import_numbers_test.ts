// `gander model import` of weights that are no numbers, or damaged: one sentence with the file's own name of the tensor,
// and nothing written.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { importCommand } from "../../src/cli/model_import.ts";
import { ImportError } from "../../src/model/import/import_error.ts";
import { openCheckpoint } from "../../src/model/import/open_checkpoint.ts";
import { quote } from "../../src/model/import/import_error.ts";
import { writeSafetensors } from "../../src/model/import/safetensors_writer.ts";
import { missingPython, runPython, temporaryFolder } from "./python_cases.ts";

const missing = missingPython("torch", "numpy");

let folder = "";
let files: Record<string, string[]> = {};

/** The checkpoint as safetensors with one number replaced. */
async function spoiled(paths: readonly string[], tensor_name: string, value: number): Promise<string> {
  await using checkpoint = await openCheckpoint(paths);
  expect(checkpoint.tensors.has(tensor_name)).toBe(true);
  const path = join(folder, `spoiled-${crypto.randomUUID()}.safetensors`);
  const entries = [...checkpoint.tensors.values()].map((tensor) => ({
    name: tensor.name,
    type: "f32" as const,
    shape: tensor.shape,
    async *chunks() {
      let first = tensor.name === tensor_name;
      for await (const floats of tensor.readFloats()) {
        if (first) floats[floats.length >> 1] = value;
        first = false;
        yield new Uint8Array(floats.buffer);
      }
    },
  }));
  await writeSafetensors(path, entries, {}, () => {});
  return path;
}

async function refusal(args: string[]): Promise<ImportError> {
  const dir = join(folder, "out");
  const io = { out: () => {}, err: () => {} };
  const error = await importCommand([...args, "-o", dir], io).then(() => undefined, (error) => error);
  expect(error).toBeInstanceOf(ImportError);
  expect(existsSync(dir)).toBe(false);
  return error;
}

describe("gander model import of weights that are no numbers", () => {
  beforeAll(async () => {
    folder = await temporaryFolder();
    if (!missing) files = await runPython("released_minis.py", folder, "768");
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  it.unless(missing, "refuses the language model, kept or converted", async () => {
    const name = "rwkv.blocks.1.ffn.key.weight";
    for (
      const [value, ...flags] of [[NaN], [-Infinity, "--dtype", "bf16"], [
        Infinity,
        "--dtype",
        "f16",
      ]] as const
    ) {
      const path = await spoiled(files["v7.00"]!, name, value);
      const error = await refusal([path, ...flags]);
      expect([error.code, error.message]).toEqual([
        "import_refused",
        expect.stringMatching(
          new RegExp(`^Cannot import ${quote(path)}: tensor "${name}" .*holds NaN or infinity`),
        ),
      ]);
    }
    const large = await refusal([await spoiled(files["v7.00"]!, name, 7e4), "--dtype", "f16"]);
    expect(large.message).toContain(`tensor "${name}" holds 70000, which f16 cannot`);
  });

  it.unless(missing, "refuses the tower in every format, and the projector", async () => {
    await using checkpoint = await openCheckpoint(files["v7.00"]!);
    const find = (pattern: RegExp) => [...checkpoint.tensors.keys()].find((name) => pattern.test(name))!;
    const matrix = find(/^vit\..*fc1\.weight$/), gate = find(/^proj\.o_proj\.weight$/);
    for (
      const [name, value, format] of [[matrix, NaN, "fp32"], [matrix, Infinity, "int8"], [
        gate,
        NaN,
        "fp16",
      ]] as const
    ) {
      const path = await spoiled(files["v7.00"]!, name, value);
      const error = await refusal([path, "--vision", format]);
      expect([error.code, error.message]).toEqual([
        "import_refused",
        `Cannot import ${quote(path)}: tensor ${quote(name)} holds NaN or infinity, which is no weight.`,
      ]);
    }
    for (const name of [matrix, gate]) {
      const path = await spoiled(files["v7.00"]!, name, 7e4);
      const error = await refusal([path, "--vision", "fp16"]);
      expect([error.code, error.message]).toEqual([
        "import_refused",
        expect.stringContaining(
          `Cannot import ${quote(path)}: "${name}" holds 70000, and float16 ends at 65504`,
        ),
      ]);
    }
  });

  it.unless(missing, "refuses a .pth with one flipped bit", async () => {
    const bytes = await Deno.readFile(files.rwkv7![0]!);
    const path = join(folder, "flipped.pth");
    bytes[bytes.length >> 1]! ^= 1;
    await Deno.writeFile(path, bytes);
    const error = await refusal([path]);
    expect([error.code, error.message]).toEqual([
      "import_damaged",
      expect.stringMatching(/flipped\.pth": tensor ".*" is not as it was saved/),
    ]);
  });
});
