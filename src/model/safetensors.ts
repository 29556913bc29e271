// The safetensors container: u64 header length, JSON header, data. Reads headers, writes whole files.
// Must not know RWKV.
import { quote } from "./import/import_error.ts";
import { JsonRefused, parseStrictJson } from "./import/strict_json.ts";

export interface TensorEntry {
  dtype: string;
  shape: number[];
  /** Byte range, counted from the end of the header. */
  start: number;
  end: number;
}

export interface SafetensorsHeader {
  tensors: ReadonlyMap<string, TensorEntry>;
  /** What the writer said about the file. */
  metadata: ReadonlyMap<string, string>;
  /** Where the data begins in the file. */
  data_offset: number;
}

/** The type of a tensor is one that Gander does not know. */
export class UnknownTypeError extends Error {}

/** Bytes of one element. */
const element_bytes: Record<string, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** The format's own bound. */
const header_bytes_max = 100_000_000;

/** Reads only the header. Throws Error with a sentence when the file is not what it claims. */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  using file = await Deno.open(path, { read: true });
  const file_bytes = (await file.stat()).size;
  const header_bytes = headerBytes(await readExactly(file, 8), file_bytes, header_bytes_max);
  return parseSafetensorsHeader(await readExactly(file, header_bytes), file_bytes);
}

/** Of the first eight bytes of a file. Throws Error with a sentence when it is longer than the file or the bound. */
export function headerBytes(prefix: Uint8Array<ArrayBuffer>, file_bytes: number, bytes_max: number): number {
  const header_bytes = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (header_bytes > bytes_max || 8 + header_bytes > file_bytes) {
    throw new Error(`its header claims ${header_bytes} bytes`);
  }
  return header_bytes;
}

/** `bytes`: the JSON after the first eight. Throws Error with a sentence; UnknownTypeError for a foreign type. */
export function parseSafetensorsHeader(bytes: Uint8Array, file_bytes: number): SafetensorsHeader {
  const header = readJson(bytes);
  if (!isObject(header)) throw new Error("its header is not a JSON object");
  const data_offset = 8 + bytes.length;
  const tensors = new Map<string, TensorEntry>();
  const metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(header)) {
    if (name !== "__metadata__") tensors.set(name, readEntry(name, value, file_bytes - data_offset));
    else if (isObject(value)) {
      for (const [key, said] of Object.entries(value)) {
        if (typeof said !== "string") throw new Error(`its __metadata__ has no text under ${quote(key)}`);
        metadata.set(key, said);
      }
    } else throw new Error("its __metadata__ is not a JSON object");
  }
  refuseOverlaps(tensors);
  return { tensors, metadata, data_offset };
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes);
  } catch (cause) {
    if (cause instanceof JsonRefused) throw new Error(`its header ${cause.message}`, { cause });
    throw cause;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuseOverlaps(tensors: ReadonlyMap<string, TensorEntry>): void {
  const placed = [...tensors].filter(([, { start, end }]) => end > start)
    .sort(([, a], [, b]) => a.start - b.start);
  for (let i = 1; i < placed.length; i++) {
    const [[before, { end }], [after, { start }]] = [placed[i - 1]!, placed[i]!];
    if (start < end) {
      throw new Error(`tensors ${quote(before)} and ${quote(after)} overlap`);
    }
  }
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
  if (typeof dtype !== "string") throw new Error(`tensor ${quote(name)} has no type`);
  if (!Object.hasOwn(element_bytes, dtype)) {
    throw new UnknownTypeError(`tensor ${quote(name)} has the unknown type ${quote(dtype)}`);
  }
  if (!isSizes(shape) || !isSizes(data_offsets) || data_offsets.length !== 2) {
    throw new Error(`tensor ${quote(name)} has no proper shape and offsets`);
  }
  const [start, end] = data_offsets;
  const elements = shape.reduce((product, size) => product * size, 1);
  if (end > data_bytes || end < start || end - start !== elements * element_bytes[dtype]!) {
    throw new Error(`tensor ${quote(name)} does not fit its byte range`);
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
