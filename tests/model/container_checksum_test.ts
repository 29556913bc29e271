// A torch archive with a flipped bit or a hole: found by the CRC-32 of its entries before anything is made of it.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { crc32 } from "node:zlib";
import { join } from "node:path";
import type { Checkpoint } from "../../src/model/import/checkpoint.ts";
import { ImportError } from "../../src/model/import/import_error.ts";
import { floatsOf, openBytes, refusalOf } from "./container_open.ts";
import { missingPython, runPython, temporaryFolder } from "./python_cases.ts";
import { type Bytes, bytesOf, pickle, sampleTorch, torchEntries, zipOf } from "./torch_samples.ts";

const torch_missing = missingPython("torch", "numpy");

/** The error of reading one tensor; undefined when all of it is read. */
async function readingError(checkpoint: Checkpoint, name: string): Promise<ImportError | undefined> {
  const error = await floatsOf(checkpoint.tensors.get(name)!).then(() => undefined, (error) => error);
  if (error !== undefined) expect(error).toBeInstanceOf(ImportError);
  return error;
}

function damage(what: string) {
  return expect.stringMatching(
    new RegExp(`^Cannot import ".*": ${what} is not as it was saved: .*CRC-32.*\\.$`),
  );
}

describe("a torch archive with checksums", () => {
  const summed = () => sampleTorch().entries.map((entry) => ({ ...entry, crc32: crc32(entry.bytes) }));
  const flipped = (name: string, at: number) =>
    zipOf(
      summed().map((entry) => {
        if (entry.name !== name) return entry;
        const bytes = entry.bytes.slice();
        bytes[at]! ^= 1;
        return { ...entry, bytes };
      }),
    );

  it("is read when it is whole, with ZIP64 records too", async () => {
    for (const wide of [false, true]) {
      await using checkpoint = await openBytes(zipOf(summed(), wide));
      for (const name of checkpoint.tensors.keys()) {
        expect(await readingError(checkpoint, name)).toBeUndefined();
      }
    }
  });

  it("names every tensor that reads the damaged storage, and reads the others", async () => {
    await using checkpoint = await openBytes(flipped("model/data/0", 95)); // behind the end of "row"
    for (const name of ["emb.weight", "head.weight", "tied", "row"]) {
      const error = await readingError(checkpoint, name);
      expect([error?.code, error?.message]).toEqual(["import_damaged", damage(`tensor "${name}"`)]);
    }
    expect(await readingError(checkpoint, "half")).toBeUndefined();
    await using other = await openBytes(flipped("model/data/1", 0));
    expect((await readingError(other, "half"))?.code).toBe("import_damaged");
    expect(await readingError(other, "head.weight")).toBeUndefined();
  });

  it("checks a tensor of many pieces to its last byte, by bytes too", async () => {
    const elements = 3_000_000;
    const body = pickle.dict([
      pickle.text("w"),
      pickle.tensor({ type: "BFloat16Storage", key: "0", elements }, {
        shape: [3000, 1000],
        strides: [1000, 1],
      }),
    ]);
    const hole: Bytes = new Uint8Array(2 * elements).fill(0x3c);
    const sum = crc32(hole);
    const archive = (bytes: Bytes) =>
      zipOf(
        torchEntries(body, { "0": bytes }).map((entry) =>
          entry.bytes === bytes ? { ...entry, crc32: sum } : entry
        ),
      );
    const readAll = async (bytes: Bytes) => {
      await using checkpoint = await openBytes(archive(bytes));
      let count = 0;
      for await (const piece of checkpoint.tensors.get("w")!.readBytes()) count += piece.length;
      return count;
    };
    expect(await readAll(hole)).toBe(2 * elements);
    await expect(readAll(hole.slice().fill(0, 4096, 8192))).rejects.toThrow(
      /tensor "w" is not as it was saved/,
    );
    await expect(readAll(hole.slice().fill(0, 2 * elements - 1))).rejects.toThrow(/tensor "w" is not as/);
  });

  it("is refused at opening when its pickle is damaged", async () => {
    const at = new TextDecoder("latin1").decode(sampleTorch().entries[0]!.bytes).indexOf("tied");
    const error = await refusalOf(flipped("model/data.pkl", at));
    expect([error.code, error.message]).toEqual(["import_damaged", damage('"model/data.pkl"')]);
  });
});

describe("a file that torch wrote", () => {
  let folder = "";
  beforeAll(async () => {
    if (torch_missing) return;
    folder = await temporaryFolder();
    await runPython("torch_files.py", folder);
  });
  afterAll(async () => {
    if (folder) await Deno.remove(folder, { recursive: true });
  });

  it.unless(
    torch_missing,
    "is read whole, and not with one flipped bit in a storage or a pickle",
    async () => {
      for (const file of ["dict.pth", "views.pth"]) {
        const bytes = await Deno.readFile(join(folder, file));
        await using whole = await openBytes(bytes);
        for (const name of whole.tensors.keys()) expect(await readingError(whole, name)).toBeUndefined();
        const storage = offsetOf(bytes, "/data/0");
        bytes[storage + 3]! ^= 4;
        await using spoiled = await openBytes(bytes);
        const first = [...spoiled.tensors.keys()][0]!;
        expect((await readingError(spoiled, first))?.message).toEqual(damage(`tensor "${first}"`));
        // A slice of the storage does not have the flipped byte in it, and is not trusted either.
        if (file === "views.pth") {
          expect((await readingError(spoiled, "column"))?.code).toBe(
            "import_damaged",
          );
        }
        bytes[storage + 3]! ^= 4;
        bytes[offsetOf(bytes, "/data.pkl") + 30]! ^= 1;
        expect((await refusalOf(bytes)).code).toBe("import_damaged");
      }
    },
  );

  /** Of the content behind the local header of the first entry whose name ends so. */
  function offsetOf(file: Bytes, name: string): number {
    const text = new TextDecoder("latin1").decode(file);
    const wanted = new TextDecoder("latin1").decode(bytesOf(name));
    const view = new DataView(file.buffer);
    for (let at = text.indexOf("PK\x03\x04"); at >= 0; at = text.indexOf("PK\x03\x04", at + 4)) {
      const name_end = at + 30 + view.getUint16(at + 26, true);
      if (text.slice(at + 30, name_end).endsWith(wanted)) return name_end + view.getUint16(at + 28, true);
    }
    throw new Error(`no ${name}`);
  }
});
