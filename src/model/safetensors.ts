// The safetensors container: u64 header length, JSON header, data. Reads headers, writes whole files.
// Must not know RWKV.

export interface TensorEntry {
  dtype: string;
  shape: number[];
  /** Byte range, counted from the end of the header. */
  start: number;
  end: number;
}

export interface SafetensorsHeader {
  tensors: ReadonlyMap<string, TensorEntry>;
  /** Where the data begins in the file. */
  data_offset: number;
}

/** Bytes of one element. Types an RWKV file may have. */
const element_bytes: Record<string, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I8: 1,
  U8: 1,
};

/** The format's own bound. */
const header_bytes_max = 100_000_000;

/** Reads only the header. Throws Error with a sentence when the file is not what it claims. */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  using file = await Deno.open(path, { read: true });
  const file_bytes = (await file.stat()).size;
  const prefix = await readExactly(file, 8);
  const header_bytes = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (header_bytes > header_bytes_max || 8 + header_bytes > file_bytes) {
    throw new Error(`its header claims ${header_bytes} bytes`);
  }
  const text = new TextDecoder("utf-8", { fatal: true }).decode(await readExactly(file, header_bytes));
  const header: unknown = JSON.parse(text);
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw new Error("its header is not a JSON object");
  }
  const data_bytes = file_bytes - 8 - header_bytes;
  const tensors = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(header)) {
    if (name !== "__metadata__") tensors.set(name, readEntry(name, value, data_bytes));
  }
  return { tensors, data_offset: 8 + header_bytes };
}

async function readExactly(file: Deno.FsFile, byte_count: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(byte_count);
  let done = 0;
  while (done < byte_count) {
    const read_bytes = await file.read(bytes.subarray(done));
    if (read_bytes === null) throw new Error("it ends inside the header");
    done += read_bytes;
  }
  return bytes;
}

function readEntry(name: string, value: unknown, data_bytes: number): TensorEntry {
  const { dtype, shape, data_offsets } = (value ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(element_bytes, dtype)) {
    throw new Error(`tensor "${name}" has the unknown type ${JSON.stringify(dtype)}`);
  }
  if (!isSizes(shape) || !isSizes(data_offsets) || data_offsets.length !== 2) {
    throw new Error(`tensor "${name}" has no proper shape and offsets`);
  }
  const [start, end] = data_offsets;
  const elements = shape.reduce((product, size) => product * size, 1);
  if (end > data_bytes || end - start !== elements * element_bytes[dtype]) {
    throw new Error(`tensor "${name}" does not fit its byte range`);
  }
  return { dtype, shape, start, end };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

export interface FloatTensor {
  shape: readonly number[];
  /** Row-major, as many as the shape says. */
  data: Float32Array;
}

/** A file with F32 tensors in the order given. The header is padded so that data starts at a multiple of 64. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, FloatTensor>,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let data_bytes = 0;
  for (const [name, { shape, data }] of tensors) {
    const elements = shape.reduce((product, size) => product * size, 1);
    if (elements !== data.length) {
      throw new RangeError(`Tensor "${name}" has ${data.length} of ${elements} elements`);
    }
    header[name] = { dtype: "F32", shape, data_offsets: [data_bytes, data_bytes + data.byteLength] };
    data_bytes += data.byteLength;
  }
  const unpadded = new TextEncoder().encode(JSON.stringify(header));
  const header_bytes = Math.ceil((8 + unpadded.length) / 64) * 64 - 8;
  const file = new Uint8Array(8 + header_bytes + data_bytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(header_bytes), true);
  file.fill(0x20, 8, 8 + header_bytes);
  file.set(unpadded, 8);
  let offset = 8 + header_bytes;
  for (const { data } of tensors.values()) {
    new Float32Array(file.buffer, offset, data.length).set(data);
    offset += data.byteLength;
  }
  return file;
}
