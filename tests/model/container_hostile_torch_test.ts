// Torch archives made wrong on purpose: each is refused with its own sentence, and right ones beside them are read.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { floatsOf, openBytes, refusalOf } from "./container_open.ts";
import {
  type Bytes,
  bytesOf,
  little,
  pickle,
  type SampleEntry,
  sampleTorch,
  type SampleView,
  torchEntries,
  zipOf,
} from "./torch_samples.ts";

const four = { type: "FloatStorage", key: "0", elements: 4 };
const four_bytes = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

/** An archive whose pickle is a dictionary with one thing in it. */
function archiveOf(value: Bytes, storages: Record<string, Bytes> = { "0": four_bytes }): Bytes {
  return zipOf(torchEntries(pickle.dict([pickle.text("w"), value]), storages));
}

/** The sample with one entry changed. */
function changed(name: string, change: Partial<SampleEntry>, wide = false): Bytes {
  const { entries } = sampleTorch();
  return zipOf(entries.map((entry) => entry.name === name ? { ...entry, ...change } : entry), wide);
}

async function expectRefusals(cases: readonly (readonly [string, RegExp, Bytes])[]): Promise<void> {
  for (const [code, sentence, bytes] of cases) {
    const error = await refusalOf(bytes);
    expect([error.message, error.code]).toEqual([expect.stringMatching(sentence), code]);
  }
}

describe("a torch archive made by hand", () => {
  it("is read as it is, with ZIP64 records too", async () => {
    const { bytes, entries } = sampleTorch();
    for (const file of [bytes, zipOf(entries, true)]) {
      await using checkpoint = await openBytes(file);
      const { tensors } = checkpoint;
      expect([...tensors.keys()]).toEqual(["emb.weight", "head.weight", "tied", "row", "half"]);
      const emb = await floatsOf(tensors.get("emb.weight")!);
      expect(emb).toEqual(Array.from({ length: 24 }, (_, i) => i - 5));
      const head = await floatsOf(tensors.get("head.weight")!);
      expect(head.slice(0, 5)).toEqual([emb[0], emb[6], emb[12], emb[18], emb[1]]);
      expect(await floatsOf(tensors.get("row")!)).toEqual(emb.slice(6, 12));
      expect((await floatsOf(tensors.get("half")!))[1]).toBe(1 + 2 ** -7);
      expect([...checkpoint.metadata]).toEqual([["step", 7]]);
    }
  });

  it("may have torch 2's storages without a type, when the tensor says it", async () => {
    const bytes = { type: "UntypedStorage", key: "0", elements: 16 };
    const sizes = [pickle.int(1), pickle.sizes([3]), pickle.sizes([1]), pickle.no, pickle.ordered()];
    const typed = (type: string) =>
      pickle.call(
        pickle.global("torch._utils", "_rebuild_tensor_v3"),
        pickle.storage(bytes),
        ...sizes,
        pickle.global("torch", type),
      );
    await using checkpoint = await openBytes(archiveOf(typed("float32")));
    expect(checkpoint.tensors.get("w")!.type).toBe("f32");
    expect(await floatsOf(checkpoint.tensors.get("w")!)).toEqual([2, 3, 4]);
    await expectRefusals([
      ["import_refused", /asks for "torch\.float8_e4m3fn"/, archiveOf(typed("float8_e4m3fn"))],
      ["import_damaged", /reaches outside its storage of 2 elements/, archiveOf(typed("float64"))],
      ["import_refused", /type is not said/, archiveOf(pickle.tensor(bytes, { shape: [4], strides: [1] }))],
    ]);
  });

  it("is refused when its archive lies", async () => {
    const { entries, bytes } = sampleTorch();
    const middle = entries[2]!;
    await expectRefusals([
      ["import_refused", /"model\/data\/0" in it is compressed/, changed("model/data/0", { method: 8 })],
      ["import_refused", /"model\/data\.pkl" in it is encrypted/, changed("model/data.pkl", { flags: 1 })],
      ["import_damaged", /"model\/data\/0" reaches outside/, changed("model/data/0", { claimed_bytes: 1e9 })],
      [
        "import_damaged",
        /"model\/data\/1" reaches outside/,
        changed("model/data/1", { claimed_offset: 2 ** 31 }),
      ],
      ["import_damaged", /"model\/data\/0" has no header/, changed("model/data/0", { claimed_offset: 5 })],
      [
        "import_damaged",
        /"model\/data\/0" reaches outside/,
        changed("model/data/0", { claimed_bytes: 2 ** 53 }, true),
      ],
      [
        "import_damaged",
        /headers of "model\/data\/0" differ/,
        changed("model/data/0", { claimed_local_bytes: 4 }),
      ],
      ["import_damaged", /overlap/, changed("model/data/0", { claimed_bytes: 150 })],
      [
        "import_damaged",
        /headers of "model\/version" differ/,
        changed("model/version", { claimed_offset: 0 }),
      ],
      ["import_damaged", /"model\/data\/0" is there twice/, zipOf([...entries, middle])],
      ["import_damaged", /ends after 5 of 7 entries/, zipOf(entries, false, 7)],
      ["import_refused", /claims 4000000000 entries/, zipOf(entries, true, 4e9)],
      ["import_damaged", /the directory at the end of the archive is missing/, bytes.slice(0, -1)],
      ["import_damaged", /the directory at the end/, bytesOf("PK\x03\x04")],
      ["import_refused", /0 files "data\.pkl"/, zipOf([middle])],
      [
        "import_refused",
        /2 files "data\.pkl"/,
        zipOf([...entries, { name: "b/data.pkl", bytes: bytesOf() }]),
      ],
      ["import_refused", /its byte order is "big"/, changed("model/byteorder", { bytes: bytesOf("big") })],
    ]);
  });

  it("is refused when a tensor is not inside its storage", async () => {
    const view = (view: SampleView, elements: number | bigint = 4) =>
      archiveOf(pickle.tensor({ ...four, elements }, view));
    const outside = /tensor "w" of shape \[.*\] reaches outside its storage of 4 elements/;
    await expectRefusals([
      ["import_damaged", outside, view({ shape: [5], strides: [1] })],
      ["import_damaged", outside, view({ shape: [4], strides: [1], offset: 1 })],
      ["import_damaged", outside, view({ shape: [2, 2], strides: [3, 1] })],
      ["import_damaged", outside, view({ shape: [2, 2], strides: [2 ** 40, 1] })],
      ["import_damaged", outside, view({ shape: [1000, 1000], strides: [0, 0] })],
      ["import_damaged", outside, view({ shape: [0], strides: [1], offset: 5 })],
      ["import_damaged", /proper sizes, strides and offset/, view({ shape: [4], strides: [-1], offset: 3 })],
      ["import_damaged", /proper sizes, strides and offset/, view({ shape: [4], strides: [1], offset: -4 })],
      ["import_damaged", /proper sizes, strides and offset/, view({ shape: [4], strides: [] })],
      [
        "import_damaged",
        /proper sizes, strides and offset/,
        view({ shape: Array(9).fill(1), strides: Array(9).fill(1) }),
      ],
      ["import_damaged", /impossible shape/, view({ shape: [2 ** 40, 2 ** 40], strides: [1, 1] })],
      ["import_refused", /whole number beyond 2\^53/, view({ shape: [2n ** 62n], strides: [1] })],
      ["import_damaged", /impossible shape/, view({ shape: [2 ** 40, 2 ** 40, 0], strides: [1, 1, 1] })],
      ["import_refused", /whole number of 9 bytes/, view({ shape: [2n ** 64n], strides: [1] })],
      [
        "import_damaged",
        /claims a storage of 16000 bytes; the archive has 16/,
        view({ shape: [4], strides: [1] }, 4000),
      ],
      [
        "import_damaged",
        /needs storage "0", which is not/,
        archiveOf(pickle.tensor(four, { shape: [4], strides: [1] }), {}),
      ],
    ]);
    await using checkpoint = await openBytes(view({ shape: [2, 2], strides: [0, 3] }));
    expect(await floatsOf(checkpoint.tensors.get("w")!)).toEqual([1, 4, 1, 4]);
  });

  it("is refused when its pickle wants anything but tensors", async () => {
    const tensor = pickle.tensor(four, { shape: [4], strides: [1] });
    const asks = (name: RegExp, value: Bytes) => ["import_refused", name, archiveOf(value)] as const;
    await expectRefusals([
      asks(/asks for "os\.system"/, pickle.call(pickle.global("os", "system"), pickle.text("true"))),
      asks(/asks for "builtins\.eval"/, bytesOf(pickle.text("builtins"), pickle.text("eval"), 0x93)),
      asks(
        /asks for "torch\._utils\._rebuild_tensor_v2\.__globals__"/,
        pickle.global("torch._utils", "_rebuild_tensor_v2.__globals__"),
      ),
      asks(/asks for "\.collections\.OrderedDict"/, pickle.global("", "collections.OrderedDict")),
      asks(/calls a storage class/, pickle.call(pickle.global("torch", "FloatStorage"), pickle.int(1 << 30))),
      asks(
        /makes a dictionary from something/,
        pickle.call(pickle.global("collections", "OrderedDict"), pickle.list()),
      ),
      asks(/changes an object that is no dictionary/, bytesOf(tensor, pickle.dict(), "b")),
      asks(/opcode 0x81 at byte \d+/, bytesOf(pickle.global("collections", "OrderedDict"), ")", 0x81)),
      asks(/opcode 0x69/, bytesOf("i", "os\n", "system\n")),
      asks(/"w" in it is no tensor|no dictionary/, pickle.list(tensor)),
      asks(/keys are neither/, pickle.dict([pickle.none, tensor])),
      [
        "import_damaged",
        /has the key "w" twice/,
        zipOf(torchEntries(pickle.dict([pickle.text("w"), tensor], [pickle.text("w"), tensor]), {})),
      ],
      ["import_refused", /has protocol 1;/, zipOf(torchEntries(pickle.dict(), {}, 1))],
      ["import_damaged", /cut short/, zipOf(torchEntries(bytesOf("X", little(2 ** 31, 4)), {}))],
      ["import_damaged", /leaves objects over/, zipOf(torchEntries(bytesOf("NN"), {}))],
      ["import_damaged", /followed by 2 bytes/, zipOf(torchEntries(bytesOf("N.N"), {}))],
      ["import_damaged", /takes what it never put/, zipOf(torchEntries(bytesOf("t"), {}))],
      ["import_damaged", /recalls what it never/, zipOf(torchEntries(pickle.get(3), {}))],
    ]);
  });

  it("takes no time and memory from cycles, deep nests and laughter", async () => {
    // A list that holds itself, and one that doubles forty times: 2^40 leaves if anyone unfolded it.
    const cycle = bytesOf("]", pickle.put(0), pickle.get(0), "a");
    const laughs = [bytesOf("]", pickle.put(0))];
    for (let i = 1; i <= 40; i++) {
      laughs.push(bytesOf("](", pickle.get(i - 1), pickle.get(i - 1), "e", pickle.put(i)));
    }
    const dict_cycle = bytesOf("}", pickle.put(0), pickle.text("self"), pickle.get(0), "s");
    await refusalOf(zipOf(torchEntries(cycle, {})));
    await refusalOf(zipOf(torchEntries(bytesOf("(", ...laughs, "t"), {})));
    await refusalOf(zipOf(torchEntries(dict_cycle, {})));
    await refusalOf(zipOf(torchEntries(new Uint8Array(500_000).fill(0x28), {})));
    const nest = bytesOf(new Uint8Array(400_000).fill(0x29), new Uint8Array(399_999).fill(0x86));
    await refusalOf(zipOf(torchEntries(nest, {})));
    const many = zipOf(torchEntries(new Uint8Array(1_100_000).fill(0x5d), {}));
    expect((await refusalOf(many)).message).toMatch(/makes more than 1000000 objects/);
    const long = zipOf(torchEntries(new Uint8Array((16 << 20) + 1), {}));
    expect((await refusalOf(long)).message).toMatch(/its pickle has 16777220 bytes/);
  });
});
