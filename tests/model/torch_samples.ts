// Torch archives made by hand, so that tests can make them wrong: a ZIP writer without compression, and pickles opcode
// by opcode. Must not know the importer.

export type Bytes = Uint8Array<ArrayBuffer>;

/** Text as Latin-1, numbers as bytes. */
export function bytesOf(...parts: (string | number | Uint8Array)[]): Bytes {
  const all = parts.map((part) => {
    if (typeof part === "number") return [part];
    return typeof part === "string" ? Uint8Array.from(part, (letter) => letter.charCodeAt(0)) : part;
  });
  const bytes = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of all) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function little(value: number | bigint, byte_count: number): Bytes {
  const bytes = new Uint8Array(byte_count);
  let left = BigInt.asUintN(8 * byte_count, BigInt(value));
  for (let i = 0; i < byte_count; i++, left >>= 8n) bytes[i] = Number(left & 255n);
  return bytes;
}

// ---- pickles ------------------------------------------------------------------------------------------------------

export const pickle = {
  text: (text: string) => {
    const bytes = new TextEncoder().encode(text);
    return bytesOf("X", little(bytes.length, 4), bytes);
  },
  /** As BININT, or LONG1 of eight bytes, or of nine. */
  int: (value: number | bigint) => {
    if (value >= -(2 ** 31) && value < 2 ** 31) return bytesOf("J", little(value, 4));
    const byte_count = value < 2n ** 63n ? 8 : 9;
    return bytesOf(0x8a, byte_count, little(value, byte_count));
  },
  none: bytesOf("N"),
  no: bytesOf(0x89),
  tuple: (...items: Bytes[]) => bytesOf("(", ...items, "t"),
  sizes: (sizes: readonly (number | bigint)[]) => pickle.tuple(...sizes.map(pickle.int)),
  list: (...items: Bytes[]) => bytesOf("](", ...items, "e"),
  global: (module: string, name: string) => bytesOf("c", module, "\n", name, "\n"),
  call: (global: Bytes, ...parameters: Bytes[]) => bytesOf(global, pickle.tuple(...parameters), "R"),
  dict: (...items: (readonly [Bytes, Bytes])[]) => bytesOf("}(", ...items.flat(), "u"),
  put: (index: number) => bytesOf("r", little(index, 4)),
  get: (index: number) => bytesOf("j", little(index, 4)),
  ordered: () => pickle.call(pickle.global("collections", "OrderedDict")),
  storage: ({ type, key, elements }: SampleStorage) =>
    bytesOf(
      pickle.tuple(
        pickle.text("storage"),
        pickle.global("torch", type),
        pickle.text(key),
        pickle.text("cpu"),
        pickle.int(elements),
      ),
      "Q",
    ),
  tensor: (storage: SampleStorage, view: SampleView) =>
    pickle.call(
      pickle.global("torch._utils", "_rebuild_tensor_v2"),
      pickle.storage(storage),
      pickle.int(view.offset ?? 0),
      pickle.sizes(view.shape),
      pickle.sizes(view.strides),
      pickle.no,
      pickle.ordered(),
    ),
  whole: (body: Bytes, protocol = 2) => bytesOf(0x80, protocol, body, "."),
};

export interface SampleStorage {
  /** BFloat16Storage, FloatStorage … */
  type: string;
  key: string;
  elements: number | bigint;
}

export interface SampleView {
  offset?: number | bigint;
  shape: readonly (number | bigint)[];
  strides: readonly (number | bigint)[];
}

// ---- archives -----------------------------------------------------------------------------------------------------

export interface SampleEntry {
  name: string;
  bytes: Bytes;
  /** 0 is stored. */
  method?: number;
  flags?: number;
  /** What the headers say, when it is not the truth. */
  claimed_bytes?: number;
  claimed_local_bytes?: number;
  claimed_offset?: number;
  /** Of what the bytes should be; left out: 0, as from a writer that computes none. */
  crc32?: number;
}

/** With `wide`, all sizes and offsets stand in ZIP64 records, as in files beyond 4 GB. */
export function zipOf(entries: readonly SampleEntry[], wide = false, claimed_count = entries.length): Bytes {
  const parts: Bytes[] = [];
  const central: Bytes[] = [];
  let at = 0;
  const add = (part: Bytes) => {
    parts.push(part);
    at += part.length;
  };
  for (const { name, bytes, method = 0, flags = 0, ...claims } of entries) {
    const size = claims.claimed_bytes ?? bytes.length;
    const offset = claims.claimed_offset ?? at;
    const head = bytesOf(little(flags, 2), little(method, 2), little(0, 4), little(claims.crc32 ?? 0, 4));
    const narrow = (value: number) => wide ? little(-1, 4) : little(value, 4);
    const local_size = narrow(claims.claimed_local_bytes ?? size);
    const lengths = bytesOf(little(name.length, 2));
    const local_extra = bytesOf("FB", little(3, 2), "ZZZ");
    add(
      bytesOf(
        "PK\x03\x04",
        little(45, 2),
        head,
        local_size,
        local_size,
        lengths,
        little(7, 2),
        name,
        local_extra,
      ),
    );
    add(bytes);
    const extra = wide
      ? bytesOf(little(1, 2), little(24, 2), little(size, 8), little(size, 8), little(offset, 8))
      : bytesOf();
    central.push(bytesOf(
      ...[
        "PK\x01\x02",
        little(0x2d002d, 4),
        head,
        narrow(size),
        narrow(size),
        lengths,
        little(extra.length, 2),
      ],
      ...[little(0, 10), narrow(offset), name, extra],
    ));
  }
  const start = at;
  for (const part of central) add(part);
  const bytes = at - start;
  if (wide) {
    const end = at;
    const counts = [little(claimed_count, 8), little(claimed_count, 8)];
    add(bytesOf("PK\x06\x06", little(44, 8), little(0, 12), ...counts, little(bytes, 8), little(start, 8)));
    add(bytesOf("PK\x06\x07", little(0, 4), little(end, 8), little(1, 4)));
  }
  const count = little(wide ? -1 : claimed_count, 2);
  add(
    bytesOf(
      "PK\x05\x06",
      little(0, 4),
      count,
      count,
      little(wide ? -1 : bytes, 4),
      little(wide ? -1 : start, 4),
      0,
      0,
    ),
  );
  return bytesOf(...parts);
}

/** The entries of an archive around `body`, a pickle without its frame, and storages by key. */
export function torchEntries(
  body: Bytes,
  storages: Readonly<Record<string, Bytes>>,
  protocol = 2,
): SampleEntry[] {
  return [
    { name: "model/data.pkl", bytes: pickle.whole(body, protocol) },
    { name: "model/byteorder", bytes: bytesOf("little") },
    ...Object.entries(storages).map(([key, bytes]) => ({ name: `model/data/${key}`, bytes })),
    { name: "model/version", bytes: bytesOf("3\n") },
  ];
}

/** A small state dict: shared storages, a transposed view, bfloat16, a nested scalar, all with memo opcodes. */
export function sampleTorch(): { bytes: Bytes; entries: SampleEntry[] } {
  const floats = { type: "FloatStorage", key: "0", elements: 24 };
  const halves = { type: "BFloat16Storage", key: "1", elements: 6 };
  const body = bytesOf(
    pickle.ordered(),
    pickle.put(0),
    "(",
    ...[pickle.text("emb.weight"), pickle.tensor(floats, { shape: [4, 6], strides: [6, 1] }), pickle.put(1)],
    ...[
      pickle.text("head.weight"),
      pickle.tensor(floats, { shape: [6, 4], strides: [1, 6] }),
      pickle.put(700),
    ],
    ...[pickle.text("tied"), pickle.get(1)],
    ...[pickle.text("row"), pickle.tensor(floats, { offset: 6, shape: [6], strides: [1] })],
    ...[pickle.text("half"), pickle.tensor(halves, { shape: [2, 3], strides: [3, 1] })],
    ...[pickle.text("step"), pickle.int(7)],
    "u",
    pickle.dict([pickle.text("_metadata"), pickle.ordered()]),
    "b",
  );
  const numbers = Float32Array.from({ length: 24 }, (_, i) => i - 5);
  const bits = Uint16Array.from({ length: 6 }, (_, i) => 0x3f80 + i);
  const entries = torchEntries(body, {
    "0": new Uint8Array(numbers.buffer),
    "1": new Uint8Array(bits.buffer),
  });
  return { bytes: zipOf(entries), entries };
}
