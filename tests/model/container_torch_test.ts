// Files that a real torch wrote, read without it: every type that is read, views, shared storages, and what is refused.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import type { CheckpointTensor } from "../../src/model/import/checkpoint.ts";
import { ImportError } from "../../src/model/import/import_error.ts";
import { openCheckpoint } from "../../src/model/import/open_checkpoint.ts";
import { missingPython, runPython } from "./python_cases.ts";

const torch_missing = missingPython("torch", "numpy");

interface Expected {
  type: string;
  shape: number[];
  /** float32, hex. */
  bytes: string;
}

let folder = "";
let expected: Record<string, Record<string, Expected>> = {};

const types: Record<string, string> = {
  bfloat16: "bf16",
  float16: "f16",
  float32: "f32",
  int64: "i64",
};

async function floatsOf(tensor: CheckpointTensor): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of tensor.readFloats()) pieces.push(new Uint8Array(piece.buffer));
  return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
}

async function refusal(name: string): Promise<ImportError> {
  const error = await openCheckpoint([join(folder, name)]).catch((error) => error);
  expect(error).toBeInstanceOf(ImportError);
  expect(error.message).toMatch(/^Cannot import ".*": .*[^.]\.$/);
  return error;
}

describe("a torch archive", () => {
  beforeAll(async () => {
    if (torch_missing) return;
    folder = await Deno.makeTempDir({ prefix: "container_torch_" });
    expected = await runPython("torch_files.py", folder);
  });
  afterAll(async () => {
    if (folder) await Deno.remove(folder, { recursive: true });
  });

  for (const stem of ["ordered", "dict", "views", "module", "parameters", "nested", "single", "many"]) {
    it.unless(torch_missing, `${stem}.pth has every number`, async () => {
      const path = join(folder, `${stem}.pth`);
      await using checkpoint = await openCheckpoint([path]);
      const tensors = expected[`${stem}.pth`]!;
      expect([...checkpoint.tensors.keys()]).toEqual(Object.keys(tensors));
      expect(checkpoint.files).toEqual([{ path, bytes: (await Deno.stat(path)).size, container: "torch" }]);
      for (const [name, { type, shape, bytes }] of Object.entries(tensors)) {
        const tensor = checkpoint.tensors.get(name)!;
        expect([name, tensor.type, tensor.shape]).toEqual([name, types[type], shape]);
        expect([name, (await floatsOf(tensor)).toHex()]).toEqual([name, bytes]);
        expect(tensor.elements * 4).toBe(bytes.length / 2);
      }
    });
  }

  it.unless(torch_missing, "keeps what stands beside a nested dictionary out of the tensors", async () => {
    await using checkpoint = await openCheckpoint([join(folder, "nested.pth")]);
    expect([...checkpoint.tensors.keys()]).toEqual(["w"]);
  });

  it.unless(torch_missing, "gives a view's own bytes in order", async () => {
    await using checkpoint = await openCheckpoint([join(folder, "views.pth")]);
    const tensor = checkpoint.tensors.get("transposed")!;
    const bits: number[] = [];
    for await (const piece of tensor.readBytes()) bits.push(...new Uint16Array(piece.buffer));
    const floats = new Uint32Array((await floatsOf(tensor)).buffer);
    expect(bits).toEqual([...floats].map((bits) => bits >>> 16));
    await using all = await openCheckpoint([join(folder, "ordered.pth")]);
    expect(() => all.tensors.get("int64")!.readBytes()).toThrow(RangeError);
  });

  it.unless(torch_missing, "is refused with a sentence when it is not a dictionary of tensors", async () => {
    const sentences = {
      "legacy.pth": /format from before 1\.6.*torch\.save/,
      "object.pth": /asks for "__main__\.Block", which a file of tensors has no business with/,
      "two.pth": /"a", "b" in it all hold tensors/,
      "list.pth": /opcode 0x5d at byte/,
      "tensor.pth": /no dictionary of tensors/,
      "mixed.pth": /"args" in it is no tensor/,
      "evil.pth": /asks for "posix\.system"/,
      "complex64.pth": /asks for "torch\.ComplexFloatStorage"/,
      "float64.pth": /asks for "torch\.DoubleStorage"/,
      "int32.pth": /asks for "torch\.IntStorage"/,
      "int16.pth": /asks for "torch\.ShortStorage"/,
      "int8.pth": /asks for "torch\.CharStorage"/,
      "uint8.pth": /asks for "torch\.ByteStorage"/,
      "bool.pth": /asks for "torch\.BoolStorage"/,
      "protocol3.pth": /has protocol 3; torch writes 2/,
      "protocol4.pth": /has protocol 4; torch writes 2/,
      "protocol5.pth": /has protocol 5; torch writes 2/,
      "float.pth": /opcode 0x47 at byte/,
      "none.pth": /opcode 0x4e at byte/,
    };
    for (const [name, sentence] of Object.entries(sentences)) {
      const error = await refusal(name);
      expect([name, error.code]).toEqual([name, "import_refused"]);
      expect(error.message).toMatch(sentence);
    }
    await expect(Deno.stat(join(folder, "owned"))).rejects.toThrow(Deno.errors.NotFound);
  });

  it.unless(torch_missing, "is refused at opening wherever it is cut", async () => {
    const bytes = await Deno.readFile(join(folder, "ordered.pth"));
    for (let cut = 1; cut <= 40; cut++) {
      await Deno.writeFile(join(folder, "cut.pth"), bytes.subarray(0, bytes.length - cut * cut * 3));
      expect((await refusal("cut.pth")).code).toBe("import_damaged");
    }
  });
});
