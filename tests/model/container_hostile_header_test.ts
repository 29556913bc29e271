// safetensors and GGUF files made right and wrong by hand, and files that are neither.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { GgufArray } from "../../src/model/import/gguf_values.ts";
import { floatsOf, openBytes, refusalOf } from "./container_open.ts";
import {
  gguf,
  ggufOf,
  type GgufParts,
  safetensorsOf,
  sampleGguf,
  sampleSafetensors,
} from "./header_samples.ts";
import { type Bytes, bytesOf, little } from "./torch_samples.ts";

async function expectRefusals(cases: readonly (readonly [string, RegExp, Bytes])[]): Promise<void> {
  for (const [code, sentence, bytes] of cases) {
    const error = await refusalOf(bytes);
    expect([error.message, error.code]).toEqual([expect.stringMatching(sentence), code]);
  }
}

describe("a safetensors file made by hand", () => {
  it("is read", async () => {
    await using checkpoint = await openBytes(sampleSafetensors().bytes);
    const shapes = [...checkpoint.tensors].map(([name, { type, shape }]) => [name, type, shape]);
    expect(shapes).toEqual([
      ["emb.weight", "f32", [4, 6]],
      ["half", "bf16", [2, 3]],
      ["scalar", "f16", []],
      ["none", "i64", [0, 7]],
    ]);
    expect([...checkpoint.metadata]).toEqual([["format", "pt"], ['a"b\\', "{"]]);
    const emb = new Float32Array(Uint8Array.from({ length: 96 }, (_, i) => i).buffer);
    expect(await floatsOf(checkpoint.tensors.get("emb.weight")!)).toEqual([...emb]);
    const scalar = new DataView(Uint8Array.of(108, 109).buffer).getUint16(0, true);
    const [value] = await floatsOf(checkpoint.tensors.get("scalar")!);
    expect(value).toBe((1 + (scalar & 1023) / 1024) * 2 ** ((scalar >> 10) - 15));
    expect(await floatsOf(checkpoint.tensors.get("none")!)).toEqual([]);
  });

  it("is refused when its header lies", async () => {
    const entry = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
    const file = (header: unknown) => safetensorsOf(header, new Uint8Array(8));
    const with_entry = (change: object) => file({ w: { ...entry, ...change } });
    const { bytes, header_bytes } = sampleSafetensors();
    await expectRefusals([
      ["import_damaged", /"none" does not fit its byte range|"scalar" does not/, bytes.slice(0, -1)],
      ["import_damaged", /header claims/, bytes.slice(0, header_bytes - 1)],
      [
        "import_damaged",
        /header claims 18446744073709552000 bytes/,
        safetensorsOf({}, new Uint8Array(), 2n ** 64n - 1n),
      ],
      ["import_damaged", /not JSON/, file("{")],
      ["import_damaged", /its header is nested more than 64 deep/, file(`{"w":${"[".repeat(100_000)}`)],
      ["import_damaged", /not JSON/, bytesOf(little(3, 8), "{\xff}")],
      ["import_damaged", /not JSON/, file(`{"${"x".repeat(3_000_000)}`)],
      ["import_damaged", /__metadata__ has no text under "a"/, file('{"__metadata__":{"a":{"toString":1}}}')],
      ["import_damaged", /has "w" twice/, file('{"w":{},"\\u0077":{}}')],
      [
        "import_damaged",
        /has "shape" twice/,
        file('{"w":{"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,4]}}'),
      ],
      ["import_damaged", /no proper shape/, with_entry({ shape: [-1] })],
      ["import_damaged", /no proper shape/, with_entry({ shape: [0.5] })],
      ["import_damaged", /no proper shape/, with_entry({ shape: { length: 1 } })],
      ["import_damaged", /no proper shape/, with_entry({ data_offsets: [0, 4, 8] })],
      ["import_damaged", /does not fit/, with_entry({ shape: [2 ** 52, 2 ** 52] })],
      ["import_damaged", /does not fit/, with_entry({ data_offsets: [8, 12] })],
      ["import_damaged", /does not fit/, with_entry({ data_offsets: [4, 0] })],
      ["import_damaged", /"a" and "b" overlap/, file({ a: entry, b: { ...entry, data_offsets: [2, 6] } })],
      ["import_damaged", /tensor "w" has no type/, file({ w: 3 })],
      ["import_damaged", /tensor "w" has no type/, file({ w: null })],
      ["import_damaged", /__metadata__ is not/, file({ __metadata__: [] })],
      ["import_refused", /unknown type "F8_E4M3"/, with_entry({ dtype: "F8_E4M3" })],
      ["import_refused", /unknown type "constructor"/, with_entry({ dtype: "constructor" })],
      ["import_refused", /9 dimensions/, with_entry({ shape: Array(9).fill(1) })],
      ["import_refused", /name|tensor "x+…"/, file({ ["x".repeat(2000)]: entry })],
    ]);
  });

  it("cannot reach the prototype of anything", async () => {
    const entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
    await using checkpoint = await openBytes(safetensorsOf(`{"__proto__":${entry}}`, new Uint8Array(4)));
    expect([...checkpoint.tensors.keys()]).toEqual(["__proto__"]);
    await refusalOf(safetensorsOf(`{"w":{"__proto__":${entry}}}`, new Uint8Array(4)));
    expect(({} as Record<string, unknown>).dtype).toBeUndefined();
  });
});

describe("a GGUF file made by hand", () => {
  it("is read, long arrays only when they are asked for", async () => {
    await using checkpoint = await openBytes(sampleGguf().bytes);
    const shapes = [...checkpoint.tensors].map(([name, { type, shape }]) => [name, type, shape]);
    expect(shapes).toEqual([
      ["token_embd.weight", "f32", [4, 6]],
      ["output_norm.weight", "bf16", [6]],
      ["output.weight", "q8_0", [2, 32]],
    ]);
    const { metadata } = checkpoint;
    expect([metadata.get("general.architecture"), metadata.get("rwkv7.block_count")]).toEqual(["rwkv7", 2]);
    expect([metadata.get("short"), metadata.get("big"), metadata.get("flag")]).toEqual([
      [-1, 2, 3],
      2n ** 60n,
      true,
    ]);
    const tokens = metadata.get("tokenizer.ggml.tokens") as GgufArray;
    expect([tokens instanceof GgufArray, tokens.type, tokens.length]).toEqual([true, "text", 300]);
    expect((await tokens.read()).slice(298)).toEqual(["token 298", "token 299"]);
    expect(await (metadata.get("tokenizer.ggml.scores") as GgufArray).read()).toHaveLength(400);
    const output = await floatsOf(checkpoint.tensors.get("output.weight")!);
    expect(output).toHaveLength(64);
    const byte = (i: number) => (128 + i) % 60;
    const scale = (1 + ((byte(0) | byte(1) << 8) & 1023) / 1024) *
      2 ** (((byte(0) | byte(1) << 8) >> 10) - 15);
    expect(output[5]).toBe(scale * byte(7));
    expect(() => checkpoint.tensors.get("output.weight")!.readBytes()).toThrow(RangeError);
  });

  it("keeps to its alignment, and reads version 2 too", async () => {
    const data = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
    const tensors = [gguf.tensor("a", [1], 0, 0), gguf.tensor("b", [3], 0, 4)];
    const pairs = [gguf.u32("general.alignment", 4)];
    await using checkpoint = await openBytes(ggufOf({ version: 2, pairs, tensors, alignment: 4, data }));
    expect(await floatsOf(checkpoint.tensors.get("b")!)).toEqual([2, 3, 4]);
    await refusalOf(ggufOf({ tensors, data }));
  });

  it("is refused when its header lies", async () => {
    const one = (sizes: readonly (number | bigint)[], type = 0, offset: number | bigint = 0) =>
      ggufOf({ tensors: [gguf.tensor("w", sizes, type, offset)], data: new Uint8Array(64) });
    const pairs = (...pairs: GgufParts["pairs"] & object) => ggufOf({ pairs });
    const { bytes } = sampleGguf();
    await expectRefusals([
      ["import_refused", /version 1;/, ggufOf({ version: 1 })],
      ["import_refused", /big-endian/, ggufOf({ version: 0x03000000 })],
      ["import_damaged", /claims 18446744073709552000 tensors/, ggufOf({ tensor_count: 2n ** 64n - 1n })],
      ["import_damaged", /ends inside its header/, ggufOf({ pair_count: 9_999 })],
      ["import_damaged", /cut short: tensor "output\.weight"/, bytes.slice(0, -1)],
      ["import_damaged", /ends inside its header/, bytes.slice(0, 200)],
      ["import_damaged", /cut short/, one([17])],
      ["import_damaged", /not aligned/, one([1], 0, 4)],
      ["import_damaged", /not aligned/, one([1], 0, 2n ** 63n + 32n)],
      ["import_damaged", /cut short/, one([1], 0, 2n ** 52n)],
      ["import_damaged", /impossible shape/, one([2n ** 40n, 2n ** 40n])],
      ["import_damaged", /impossible shape/, one([2n ** 64n - 1n, 0])],
      ["import_damaged", /5 dimensions/, one([1, 1, 1, 1, 1])],
      ["import_damaged", /rows of 48, which are no whole Q8_0 blocks/, one([48], 8)],
      ["import_damaged", /rows of 16, which/, one([16, 2], 8)],
      ["import_refused", /tensor "w" has type IQ2_XS, which is not read/, one([256], 17)],
      ["import_refused", /has type number 99/, one([256], 99)],
      [
        "import_damaged",
        /"w" is there twice/,
        ggufOf({
          tensors: [gguf.tensor("w", [], 0, 0), gguf.tensor("w", [], 0, 32)],
          data: new Uint8Array(64),
        }),
      ],
      [
        "import_damaged",
        /"b" overlaps/,
        ggufOf({
          tensors: [gguf.tensor("a", [9], 0, 0), gguf.tensor("b", [1], 0, 32)],
          data: new Uint8Array(64),
        }),
      ],
      ["import_damaged", /has "k" twice/, pairs(gguf.u32("k", 1), gguf.u32("k", 1))],
      ["import_damaged", /its alignment is "0"/, pairs(gguf.u32("general.alignment", 0))],
      ["import_damaged", /its alignment is "24"/, pairs(gguf.u32("general.alignment", 24))],
      ["import_damaged", /unknown value type 13/, pairs(bytesOf(gguf.text("k"), little(13, 4)))],
      ["import_refused", /arrays of arrays/, pairs(gguf.array("k", 9, 1))],
      ["import_damaged", /ends inside/, pairs(gguf.array("k", 8, 2n ** 60n))],
      ["import_damaged", /ends inside/, pairs(gguf.array("k", 10, 2n ** 64n - 1n))],
      ["import_damaged", /ends inside/, pairs(gguf.array("k", 0, 2n ** 62n))],
      ["import_refused", /a text of 9007199254740992 bytes/, pairs(bytesOf(little(2n ** 53n, 8)))],
    ]);
  });
});

describe("a file that is no container", () => {
  it("is refused by what it is", async () => {
    await expectRefusals([
      ["import_refused", /it is empty/, bytesOf()],
      ["import_refused", /neither a torch archive nor safetensors nor GGUF/, bytesOf("hello")],
      [
        "import_refused",
        /format from before 1\.6; open it once with torch\.load/,
        bytesOf("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."),
      ],
      ["import_refused", /bare pickle/, bytesOf("\x80\x04N.")],
      ["import_refused", /Git LFS pointer/, bytesOf("version https://git-lfs.github.com/spec/v1\n")],
      ["import_refused", /web page/, bytesOf("<!DOCTYPE html>")],
      ["import_refused", /before GGUF/, bytesOf("lmgg\x01\0\0\0")],
      ["import_damaged", /it has 5 bytes|ends inside/, bytesOf("GGUF\x03")],
    ]);
  });
});
