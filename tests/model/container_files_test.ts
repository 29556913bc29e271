// Checkpoints that are folders, shards and several files on a disk, and the safetensors writer.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { ImportError } from "../../src/model/import/import_error.ts";
import { openCheckpoint } from "../../src/model/import/open_checkpoint.ts";
import { type SafetensorsEntry, writeSafetensors } from "../../src/model/import/safetensors_writer.ts";
import { readSafetensorsHeader } from "../../src/model/safetensors.ts";
import { floatsOf } from "./container_open.ts";
import { safetensorsOf, sampleGguf } from "./header_samples.ts";
import { sampleTorch } from "./torch_samples.ts";

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "container_files_" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function oneTensor(name: string, value: number): Uint8Array {
  const header = { __metadata__: { from: name }, [name]: { dtype: "F32", shape: [1], data_offsets: [0, 4] } };
  return safetensorsOf(header, new Uint8Array(Float32Array.of(value).buffer));
}

/** Shards a.safetensors and b.safetensors with tensors a and b, an index and a config. */
async function writeShards(folder: string, map: Record<string, string> = { a: shard(1), b: shard(2) }) {
  await Deno.writeFile(join(folder, shard(1)), oneTensor("a", 1));
  await Deno.writeFile(join(folder, shard(2)), oneTensor("b", 2));
  await Deno.writeTextFile(join(folder, index), JSON.stringify({ metadata: {}, weight_map: map }));
  await Deno.writeTextFile(join(folder, "config.json"), '{"hidden_size": 64}');
}
const index = "model.safetensors.index.json";
const shard = (number: number) => `model-0000${number}-of-00002.safetensors`;

async function refusal(...paths: string[]): Promise<ImportError> {
  const error = await openCheckpoint(paths).then(() => undefined, (error) => error);
  expect(error).toBeInstanceOf(ImportError);
  return error;
}

describe("openCheckpoint()", () => {
  it("joins shards, named by their folder, their index or one of them", () =>
    withFolder(async (folder) => {
      await writeShards(folder);
      for (const path of [folder, join(folder, index), join(folder, shard(1)), join(folder, shard(2))]) {
        await using checkpoint = await openCheckpoint([path]);
        expect(checkpoint.files.map(({ path }) => path)).toEqual([1, 2].map((i) => join(folder, shard(i))));
        expect(await floatsOf(checkpoint.tensors.get("b")!)).toEqual([2]);
        expect(checkpoint.metadata.get("config.json")).toEqual({ hidden_size: 64 });
        expect(checkpoint.metadata.get("from")).toBe("a");
      }
      await using twice = await openCheckpoint([join(folder, shard(1)), join(folder, shard(2))]);
      expect(twice.files).toHaveLength(2);
    }));

  it("refuses an index that lies", () =>
    withFolder(async (folder) => {
      await writeShards(folder, { a: shard(1), b: shard(1) });
      expect((await refusal(folder)).message).toMatch(/00001-of-00002\.safetensors": it lacks tensor "b"/);
      await writeShards(folder, { a: shard(1), b: "../b.safetensors" });
      expect((await refusal(folder)).message).toMatch(/"\.\.\/b\.safetensors" in it is no file name/);
      await writeShards(folder, { a: shard(1), b: "model-00003-of-00002.safetensors" });
      expect(await refusal(folder)).toMatchObject({ code: "import_unreadable", message: /not found/ });
      await writeShards(folder, {});
      expect((await refusal(folder)).message).toMatch(/it names no file/);
      await Deno.writeTextFile(join(folder, index), '{"weight_map": {"a": "x", "a": "y"}}');
      expect((await refusal(folder)).message).toMatch(/has "a" twice/);
      await Deno.writeTextFile(join(folder, index), "[]");
      expect((await refusal(folder)).message).toMatch(/not a JSON object/);
      await writeShards(folder);
      await Deno.writeTextFile(join(folder, "config.json"), "{");
      expect((await refusal(folder)).message).toMatch(/config\.json": it is not JSON in UTF-8/);
    }));

  it("takes several files of any kind by their content, and closes all when one is bad", () =>
    withFolder(async (folder) => {
      const [torch, gguf, more] = ["a.bin", "b.pth", "c.gguf"].map((name) => join(folder, name));
      await Deno.writeFile(torch!, sampleTorch().bytes);
      await Deno.writeFile(gguf!, sampleGguf().bytes);
      await Deno.writeFile(more!, oneTensor("c", 3));
      {
        await using checkpoint = await openCheckpoint([torch!, gguf!, more!]);
        expect(checkpoint.files.map(({ container }) => container)).toEqual(["torch", "gguf", "safetensors"]);
        expect(checkpoint.tensors.size).toBe(5 + 3 + 1);
        // Reads of one file at the same time do not mix.
        const names = ["emb.weight", "head.weight", "row", "half"];
        const [emb, head, row, half] = await Promise.all(
          names.map((name) => floatsOf(checkpoint.tensors.get(name)!)),
        );
        expect([emb![23], head![1], row![0], half![0]]).toEqual([18, 1, 1, 1]);
      }
      const copy = join(folder, "d.pth");
      await Deno.copyFile(torch!, copy);
      expect((await refusal(torch!, copy)).message).toMatch(
        /d\.pth": ".*a\.bin" also has tensor "emb\.weight"/,
      );
      expect((await refusal(torch!, join(folder, "none"))).code).toBe("import_unreadable");
      await Deno.remove(more!);
      const several = /the folder has several files of weights \("b\.pth", "d\.pth"\); name one/;
      await Deno.remove(torch!);
      expect((await refusal(folder)).message).toMatch(several);
      const empty = join(folder, "empty");
      await Deno.mkdir(empty);
      expect((await refusal(empty)).message).toMatch(/the folder has no file of weights/);
      expect((await refusal("/dev/zero")).message).toMatch(/"\/dev\/zero": it is not a file/);
    }));
});

describe("writeSafetensors()", () => {
  const entry = (
    name: string,
    type: SafetensorsEntry["type"],
    shape: number[],
    ...chunks: Uint8Array[]
  ): SafetensorsEntry => ({
    name,
    type,
    shape,
    async *chunks() {
      for (const chunk of chunks) yield await Promise.resolve(chunk);
    },
  });
  const bytes = (length: number, first = 0) => Uint8Array.from({ length }, (_, i) => first + i);

  it("writes what readers find, float32 first, and says its SHA-256", () =>
    withFolder(async (folder) => {
      const path = join(folder, "out.safetensors");
      const entries = [
        entry("odd", "bf16", [3], bytes(2), bytes(4, 2)),
        entry("w", "f32", [2, 2], bytes(16, 50)),
        entry("__proto__", "f16", [1], bytes(2, 90)),
        entry("7", "f16", [0]),
      ];
      const told: number[] = [];
      const written = await writeSafetensors(path, entries, { origin: "x" }, (count) => told.push(count));
      const file = await Deno.readFile(path);
      const sha256 = createHash("sha256").update(file).digest("hex");
      expect(written).toEqual({ path, bytes: file.length, sha256 });
      expect(told.at(-1)).toBe(file.length);
      const header = await readSafetensorsHeader(path);
      expect([...header.tensors.keys()].sort()).toEqual(["7", "__proto__", "odd", "w"]);
      expect([header.data_offset % 64, header.tensors.get("w")!.start]).toEqual([0, 0]);
      await using checkpoint = await openCheckpoint([path]);
      expect(checkpoint.metadata.get("origin")).toBe("x");
      const found = Object.fromEntries(
        await Promise.all([...checkpoint.tensors].map(async ([name, tensor]) => {
          const pieces = await Array.fromAsync(tensor.readBytes());
          return [`_${name}`, pieces.flatMap((piece) => [...piece])] as const;
        })),
      );
      const wanted = { _w: [...bytes(16, 50)], _odd: [...bytes(6)], ___proto__: [90, 91], _7: [] };
      expect(found).toEqual(wanted);
      expect([...Deno.readDirSync(folder)].map(({ name }) => name)).toEqual(["out.safetensors"]);
    }));

  it("leaves the old file, and nothing else, when something fails", () =>
    withFolder(async (folder) => {
      const path = join(folder, "out.safetensors");
      await Deno.writeTextFile(path, "old");
      const failing: [SafetensorsEntry[], RegExp][] = [
        [[entry("w", "f32", [1], bytes(3))], /"w" lacks 1 bytes/],
        [[entry("w", "f32", [1], bytes(3), bytes(2))], /"w" has too many bytes/],
        [[entry("w", "f32", [1], bytes(4)), entry("w", "f16", [0])], /"w" is there twice/],
        [[entry("__metadata__", "f32", [1], bytes(4))], /is there twice/],
        [[entry("w", "f32", [2 ** 40, 2 ** 40])], /has the shape/],
      ];
      for (const [entries, sentence] of failing) {
        await expect(writeSafetensors(path, entries)).rejects.toThrow(sentence);
      }
      expect([...Deno.readDirSync(folder)].map(({ name }) => name)).toEqual(["out.safetensors"]);
      expect(await Deno.readTextFile(path)).toBe("old");
      const nowhere = writeSafetensors(join(folder, "none", "out"), []);
      await expect(nowhere).rejects.toMatchObject({
        code: "import_unwritable",
        message: /Cannot write .*: not found\./,
      });
    }));
});
