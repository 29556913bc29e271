// Writes a safetensors file of any size in pieces, with its SHA-256. Owns the layout of the file and that it is whole
// or not there. Must not know where the tensors come from or what they mean.
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { reason } from "../bundle_files.ts";
import { ImportError, quote } from "./import_error.ts";

export type WrittenType = "f32" | "f16" | "bf16";

export interface SafetensorsEntry {
  readonly name: string;
  readonly type: WrittenType;
  /** Outermost first. */
  readonly shape: readonly number[];
  /** The elements in row-major order, little-endian, in pieces of any size. Read once. */
  chunks(): AsyncIterable<Uint8Array>;
}

export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
  /** Lowercase hex, of the whole file. */
  readonly sha256: string;
}

const element_bytes: Record<WrittenType, number> = { f32: 4, f16: 2, bf16: 2 };
/** The data begins at a multiple of this, so that the native library may map it. */
const data_alignment_bytes = 64;

/**
 * Writes `entries` to `path`: beside it first, flushed to the disk, then renamed over it. float32 tensors come first
 * and the others after them, each group in the order given, so that every element is aligned. `progress` is told the
 * bytes written so far after every piece.
 *
 * Throws RangeError for names or sizes that contradict themselves, ImportError (import_unwritable) when the disk
 * refuses, and what `chunks()` throws. Nothing is left behind then.
 */
export async function writeSafetensors(
  path: string,
  entries: readonly SafetensorsEntry[],
  metadata: Readonly<Record<string, string>> = {},
  progress?: (bytes: number) => void,
): Promise<WrittenFile> {
  const ordered = entries.toSorted((a, b) => element_bytes[b.type] - element_bytes[a.type]);
  const { header, bytes } = layOut(ordered, metadata);
  const part = `${path}.part`;
  try {
    const sha256 = await writePart(part, header, ordered, progress);
    await writing(path, async () => {
      await Deno.rename(part, path);
      using folder = await Deno.open(dirname(path), { read: true });
      await folder.sync(); // A rename is durable only when the folder is on the disk.
    });
    return { path, bytes, sha256 };
  } catch (error) {
    await Deno.remove(part).catch(() => {}); // It may not exist.
    throw error;
  }
}

async function writePart(
  part: string,
  header: Uint8Array,
  entries: readonly SafetensorsEntry[],
  progress?: (bytes: number) => void,
): Promise<string> {
  using file = await writing(part, () => Deno.open(part, { write: true, create: true, truncate: true }));
  const hash = createHash("sha256");
  let bytes = 0;
  const put = async (piece: Uint8Array) => {
    hash.update(piece);
    await writing(part, async () => {
      for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
    });
    bytes += piece.length;
    progress?.(bytes);
  };
  await put(header);
  for (const entry of entries) {
    const end = bytes + entryBytes(entry);
    for await (const piece of entry.chunks()) {
      if (bytes + piece.length > end) throw new RangeError(`Tensor ${quote(entry.name)} has too many bytes`);
      await put(piece);
    }
    if (bytes !== end) throw new RangeError(`Tensor ${quote(entry.name)} lacks ${end - bytes} bytes`);
  }
  await writing(part, () => file.sync());
  return hash.digest("hex");
}

function entryBytes({ name, type, shape }: SafetensorsEntry): number {
  const bytes = shape.reduce((product, size) => product * size, element_bytes[type]);
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new RangeError(`Tensor ${quote(name)} has the shape [${shape}]`);
  }
  return bytes;
}

/** The header with its length in front, padded with blanks, and the size that the whole file will have. */
function layOut(entries: readonly SafetensorsEntry[], metadata: Readonly<Record<string, string>>) {
  const fields = new Map<string, unknown>([["__metadata__", metadata]]);
  let data_bytes = 0;
  for (const entry of entries) {
    const { name, type, shape } = entry;
    if (fields.has(name)) throw new RangeError(`Tensor ${quote(name)} is there twice`);
    const end = data_bytes + entryBytes(entry);
    fields.set(name, { dtype: type.toUpperCase(), shape, data_offsets: [data_bytes, end] });
    data_bytes = end;
  }
  // Not an object: a tensor might be called "__proto__", and numbers as names would change the order.
  const members = [...fields].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const text = new TextEncoder().encode(`{${members.join(",")}}`);
  const header_bytes = Math.ceil((8 + text.length) / data_alignment_bytes) * data_alignment_bytes;
  const header = new Uint8Array(header_bytes).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header_bytes - 8), true);
  header.set(text, 8);
  return { header, bytes: header_bytes + data_bytes };
}

/** What the file system refuses becomes a sentence. */
async function writing<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw new ImportError("import_unwritable", `Cannot write ${quote(path)}: ${reason(cause)}.`, { cause });
  }
}
