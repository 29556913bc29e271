// Torch archives made wrong on purpose: each is refused with its own sentence, and right ones beside them are read.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { import_limits } from "../../src/model/import/limits.ts";
import { countVisits } from "./allocation_meter.ts";
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
      asks(/asks for "builtins\.eval"/, pickle.global("builtins", "eval")),
      asks(
        /asks for "torch\._utils\._rebuild_tensor_v2\.__globals__"/,
        pickle.global("torch._utils", "_rebuild_tensor_v2.__globals__"),
      ),
      asks(/asks for "\.collections\.OrderedDict"/, pickle.global("", "collections.OrderedDict")),
      asks(/calls a storage class/, pickle.call(pickle.global("torch", "FloatStorage"), pickle.int(1 << 30))),
      asks(
        /makes a dictionary from something/,
        pickle.call(pickle.global("collections", "OrderedDict"), pickle.dict()),
      ),
      asks(/changes an object that is no dictionary/, bytesOf(tensor, pickle.dict(), "b")),
      asks(/changes an object/, bytesOf(pickle.ordered(), pickle.tuple(pickle.dict(), pickle.dict()), "b")),
      asks(/opcode 0x81 at byte \d+/, bytesOf(pickle.global("collections", "OrderedDict"), ")", 0x81)),
      asks(/opcode 0x69/, bytesOf("i", "os\n", "system\n")),
      asks(/"w" in it is no tensor|no dictionary/, pickle.tuple(tensor)),
      asks(/keys that are no text/, pickle.dict([pickle.int(1), tensor])),
      [
        "import_damaged",
        /has the key "w" twice/,
        zipOf(torchEntries(pickle.dict([pickle.text("w"), tensor], [pickle.text("w"), tensor]), {})),
      ],
      ["import_refused", /has protocol 1;/, zipOf(torchEntries(pickle.dict(), {}, 1))],
      ["import_refused", /has protocol 3;/, zipOf(torchEntries(pickle.dict(), {}, 3))],
      ["import_damaged", /cut short/, zipOf(torchEntries(bytesOf("X", little(2 ** 31, 4)), {}))],
      ["import_damaged", /leaves objects over/, zipOf(torchEntries(bytesOf("}}"), {}))],
      ["import_damaged", /followed by 2 bytes/, zipOf(torchEntries(bytesOf("}.}"), {}))],
      ["import_damaged", /takes what it never put/, zipOf(torchEntries(bytesOf("t"), {}))],
      ["import_damaged", /recalls what it never/, zipOf(torchEntries(pickle.get(3), {}))],
    ]);
  });

  it("takes no time and memory from cycles, deep nests and laughter", async () => {
    // A dictionary that holds itself, and a tuple that doubles forty times: 2^40 leaves if anyone unfolded it.
    const laughs = [bytesOf(")", pickle.put(0))];
    for (let i = 1; i <= 40; i++) {
      laughs.push(bytesOf(pickle.get(i - 1), pickle.get(i - 1), 0x86, pickle.put(i)));
    }
    const dict_cycle = bytesOf("}", pickle.put(0), pickle.text("self"), pickle.get(0), "s");
    await refusalOf(zipOf(torchEntries(bytesOf("(", ...laughs, "t"), {})));
    await refusalOf(zipOf(torchEntries(dict_cycle, {})));
    await refusalOf(zipOf(torchEntries(new Uint8Array(500_000).fill(0x28), {})));
    const nest = bytesOf(new Uint8Array(400_000).fill(0x29), new Uint8Array(399_999).fill(0x86));
    await refusalOf(zipOf(torchEntries(nest, {})));
    const many = zipOf(torchEntries(new Uint8Array(1_100_000).fill(0x7d), {}));
    expect((await refusalOf(many)).message).toMatch(/makes more than 1000000 objects/);
    const long = zipOf(torchEntries(new Uint8Array((16 << 20) + 1), {}));
    expect((await refusalOf(long)).message).toMatch(/its pickle has 16777220 bytes/);
  });

  it("is refused for what torch writes only when asked to, and for kinds of numbers no release has", async () => {
    const asks = (name: RegExp, value: Bytes) => ["import_refused", name, archiveOf(value)] as const;
    const opcodes: readonly (string | number)[] = ["N", "]", 0x93, 0x94, 0x95, 0x8c, "G", "a", "e"];
    const types = ["Double", "Int", "Short", "Char", "Byte", "Bool", "Untyped"];
    await expectRefusals([
      ...opcodes.map((opcode) => {
        const code = typeof opcode === "string" ? opcode.charCodeAt(0) : opcode;
        return asks(new RegExp(`opcode 0x${code.toString(16)} at byte \\d+`), bytesOf(opcode));
      }),
      ...types.map((type) =>
        asks(new RegExp(`asks for "torch\\.${type}Storage"`), pickle.global("torch", `${type}Storage`))
      ),
      asks(
        /asks for "torch\._utils\._rebuild_tensor_v3"/,
        pickle.global("torch._utils", "_rebuild_tensor_v3"),
      ),
      asks(/asks for "torch\.float32"/, pickle.global("torch", "float32")),
    ]);
  });
});

describe("what a torch archive shares", () => {
  /** Items of a dictionary: `count` names of four letters, all with `value`, put in by thousands. */
  function itemsOf(count: number, value: Bytes): Bytes {
    const item_bytes = 9 + value.length;
    const items = new Uint8Array(count * item_bytes + 2 * Math.ceil(count / 1000));
    let at = 0;
    for (let i = 0; i < count; i++) {
      if (i % 1000 === 0) items[at++] = "(".charCodeAt(0);
      items.set(bytesOf("X", 4, 0, 0, 0, i.toString(36).padStart(4, "0"), value), at);
      at += item_bytes;
      if (i % 1000 === 999 || i === count - 1) items[at++] = "u".charCodeAt(0);
    }
    return items;
  }
  const one = bytesOf("K", 1);
  const storage_bytes = new Uint8Array(1 << 16);
  const tensor = pickle.tensor({ ...four, elements: 1 << 14 }, { shape: [128, 128], strides: [128, 1] });
  /** A dictionary that has `value` under `count` names. */
  const shared = (value: Bytes, count: number) => {
    const body = bytesOf("}", pickle.text("first"), value, "q", 0, "s", itemsOf(count - 1, bytesOf("h", 0)));
    return zipOf(torchEntries(body, { "0": storage_bytes }));
  };

  it("is judged once, by however many names it goes", async () => {
    const count = 3000;
    const inner = bytesOf("}", itemsOf(count, one));
    const visits = await countVisits(async () => {
      expect((await refusalOf(shared(inner, count))).message).toMatch(/no dictionary of tensors/);
    });
    expect(visits).toBeGreaterThan(2 * count - 1);
    expect(visits).toBeLessThan(10 * count);
  });

  it("is counted before anything is made of it", async () => {
    const file = shared(tensor, import_limits.tensors_max + 1);
    const visits = await countVisits(async () => {
      const { code, message } = await refusalOf(file);
      expect(code).toBe("import_refused");
      expect(message).toMatch(/has 100001 names; 100000 are read/);
    });
    expect(visits).toBeLessThan(100);
    const large = shared(tensor, 1_200_000);
    const before_bytes = Deno.memoryUsage().heapUsed;
    expect((await refusalOf(large)).message).toMatch(/puts more than 1000000 items into dictionaries/);
    expect(Deno.memoryUsage().heapUsed - before_bytes).toBeLessThan(20 * large.length);
  });

  it("may be a few weights, and is no way to make a large model of a small file", async () => {
    await using checkpoint = await openBytes(shared(tensor, 4));
    expect(checkpoint.tensors.size).toBe(4);
    await expectRefusals([["import_refused", /its tensors share storages/, shared(tensor, 100)]]);
  });

  it("is found by numbers and keys of a usual size", async () => {
    const far = bytesOf(pickle.dict(), pickle.put(import_limits.pickle_values_max));
    const long = { type: "FloatStorage", key: "0".repeat(import_limits.name_chars_max + 1), elements: 4 };
    await expectRefusals([
      ["import_refused", /remembers a value under the number 1000000/, archiveOf(far)],
      [
        "import_damaged",
        /a storage that is not described as one/,
        archiveOf(pickle.tensor(long, { shape: [4], strides: [1] })),
      ],
    ]);
  });
});
