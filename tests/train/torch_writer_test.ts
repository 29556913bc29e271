// What the .pth writer writes, as our importer and as torch itself read it.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openCheckpoint } from "../../src/model/import/open_checkpoint.ts";
import { initialRwkv } from "../../src/train/init.ts";
import { writeTorch } from "../../src/train/torch_writer.ts";
import { missingPython } from "../model/python_cases.ts";

const no_torch = missingPython("torch");
const tensors = initialRwkv({ version: 7, layers: 2, width: 64, vocab: 300, seed: 1 });
tensors.set("scalar", { dims: [], data: Float32Array.of(0.5) });
tensors.set("größe", { dims: [2, 1], data: Float32Array.of(1.00390625, -1.01171875) });

/** Nearest bf16, ties to even. */
function rounded(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0] = (bits[0]! + 0x7fff + (bits[0]! >>> 16 & 1)) >>> 16 << 16;
  return new Float32Array(bits.buffer)[0]!;
}

async function withFiles(
  body: (paths: Record<"f32" | "bf16" | "wide", string>) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "gander-pth-" });
  try {
    const paths = { f32: join(dir, "f32.pth"), bf16: join(dir, "bf16.pth"), wide: join(dir, "wide.pth") };
    await writeTorch(paths.f32, tensors, { type: "f32" });
    await writeTorch(paths.bf16, tensors, { type: "bf16" });
    await writeTorch(paths.wide, tensors, { type: "f32", wide_from_bytes: 1000 });
    await body(paths);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const wantedOf = (data: Float32Array, type: string) => type === "bf16" ? data.map(rounded) : data;

describe("writeTorch", () => {
  it("is read back by the importer, which checks every CRC", async () => {
    await withFiles(async (paths) => {
      for (const [type, path] of Object.entries(paths)) {
        await using checkpoint = await openCheckpoint([path]);
        expect([...checkpoint.tensors.keys()]).toEqual([...tensors.keys()]);
        for (const [name, { dims, data }] of tensors) {
          const found = checkpoint.tensors.get(name)!;
          expect(found.shape).toEqual([...dims]);
          const floats: number[] = [];
          for await (const piece of found.readFloats()) floats.push(...piece);
          expect(Float32Array.from(floats)).toEqual(wantedOf(data, type));
        }
      }
    });
  });

  it.unless(no_torch, "is read by torch.load, strictly where torch can", async () => {
    await withFiles(async (paths) => {
      const { success, stdout, stderr } = await new Deno.Command("/usr/bin/python3", {
        args: [fileURLToPath(new URL("./torch_load.py", import.meta.url)), ...Object.values(paths)],
      }).output();
      expect([success, new TextDecoder().decode(stderr)]).toEqual([true, ""]);
      const { files } = JSON.parse(new TextDecoder().decode(stdout));
      for (const [index, type] of Object.keys(paths).entries()) {
        expect(Object.keys(files[index])).toEqual([...tensors.keys()]);
        for (const [name, { dims, data }] of tensors) {
          const found = files[index][name];
          expect(found.dims).toEqual([...dims]);
          expect(found.type).toBe(type === "bf16" ? "torch.bfloat16" : "torch.float32");
          expect(Float32Array.from(found.data)).toEqual(wantedOf(data, type));
        }
      }
    });
  });

  it("aligns every storage, and leaves nothing behind when a tensor contradicts itself", async () => {
    await withFiles(async ({ f32 }) => {
      const bytes = await Deno.readFile(f32);
      const data = tensors.get("blocks.0.att.k_a")!.data;
      const pattern = new Uint8Array(data.buffer);
      let found = -1;
      for (let at = 0; at + pattern.length <= bytes.length && found < 0; at += 64) {
        if (pattern.every((byte, i) => bytes[at + i] === byte)) found = at;
      }
      expect(found).toBeGreaterThan(0);
      const broken = new Map([["x", { dims: [3], data: new Float32Array(2) }]]);
      await expect(writeTorch(`${f32}.broken`, broken, { type: "f32" })).rejects.toThrow("2 of 3 elements");
      await expect(Deno.stat(`${f32}.broken`)).rejects.toThrow();
    });
  });
});
