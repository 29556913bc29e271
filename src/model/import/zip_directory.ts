// The ZIP archive that torch.save writes: which entries there are and where their bytes stand. Entries are stored, not
// compressed; everything about them is checked before anyone reads. Must not know pickles or tensors.
import type { ByteSource } from "./byte_source.ts";
import { importError, quote } from "./import_error.ts";
import { import_limits } from "./limits.ts";
import { findDirectory } from "./zip_end.ts";

export interface ZipEntry {
  readonly name: string;
  /** Of the first byte of content in the file. */
  readonly offset: number;
  readonly bytes: number;
  /** CRC-32 of the content; 0 where the writer left it out. */
  readonly crc32: number;
}

const central_mark = 0x02014b50;
const local_mark = 0x04034b50;
const stored = 0;
/** A size or offset that did not fit its 32 bits: the true one stands in the extra field 1. */
const elsewhere = 0xffffffff;
const encrypted_flag = 1;
const sizes_follow_flag = 8;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Every entry that has content, by name. Throws ImportError: damaged when entries lie outside the file, overlap, are
 * there twice or contradict themselves; refused when one is compressed or encrypted.
 */
export async function readZip(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const { offset, bytes, count } = await findDirectory(source);
  const directory = await source.read(offset, bytes);
  const headers = readCentral(source, directory, count);
  const entries = new Map<string, ZipEntry>();
  const places: { start: number; end: number; name: string }[] = [{
    start: offset,
    end: source.size,
    name: "the directory",
  }];
  for (const header of headers) {
    if (entries.has(header.name)) throw damaged(source, `${quote(header.name)} is there twice`);
    const start = await contentOffset(source, header);
    places.push({ start: header.local, end: start + header.bytes, name: quote(header.name) });
    const { name, bytes, crc32 } = header;
    entries.set(name, { name, offset: start, bytes, crc32 });
  }
  places.sort((a, b) => a.start - b.start);
  for (let i = 1; i < places.length; i++) {
    if (places[i]!.start < places[i - 1]!.end) {
      throw damaged(source, `${places[i - 1]!.name} and ${places[i]!.name} overlap`);
    }
  }
  return entries;
}

interface CentralHeader {
  name: string;
  bytes: number;
  crc32: number;
  /** Offset of the entry's own header. */
  local: number;
}

function readCentral(source: ByteSource, directory: Uint8Array<ArrayBuffer>, count: number): CentralHeader[] {
  const view = new DataView(directory.buffer);
  const headers: CentralHeader[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.length || view.getUint32(at, true) !== central_mark) {
      throw damaged(source, `its directory ends after ${i} of ${count} entries`);
    }
    const name_end = at + 46 + view.getUint16(at + 28, true);
    const extra_end = name_end + view.getUint16(at + 30, true);
    const end = extra_end + view.getUint16(at + 32, true);
    if (end > directory.length) throw damaged(source, `its directory ends after ${i} of ${count} entries`);
    const name = decodeName(source, directory.subarray(at + 46, name_end));
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    if (flags & encrypted_flag) throw refused(source, `${quote(name)} in it is encrypted`);
    if (method !== stored) {
      throw refused(
        source,
        `${quote(name)} in it is compressed; torch stores, so save it again with torch.save`,
      );
    }
    const sizes = wideSizes(source, name, view, at, name_end, extra_end);
    if (sizes.packed !== sizes.bytes) throw damaged(source, `${quote(name)} has two sizes`);
    headers.push({ name, bytes: sizes.bytes, crc32: view.getUint32(at + 16, true), local: sizes.local });
    at = end;
  }
  return headers;
}

function decodeName(source: ByteSource, bytes: Uint8Array): string {
  if (bytes.length === 0 || bytes.length > import_limits.name_chars_max) {
    throw damaged(source, `it has an entry with a name of ${bytes.length} bytes`);
  }
  try {
    return utf8.decode(bytes);
  } catch {
    throw damaged(source, "it has an entry with a name that is no text");
  }
}

/** The sizes and the offset of a central header, from the ZIP64 extra field where they did not fit. */
function wideSizes(
  source: ByteSource,
  name: string,
  view: DataView,
  at: number,
  extra: number,
  extra_end: number,
) {
  const narrow = [20, 24, 42].map((field) => view.getUint32(at + field, true));
  let [packed, bytes, local] = narrow as [number, number, number];
  if (!narrow.includes(elsewhere)) return { packed, bytes, local };
  for (let field = extra; field + 4 <= extra_end;) {
    const field_end = field + 4 + view.getUint16(field + 2, true);
    if (field_end > extra_end) break;
    if (view.getUint16(field, true) === 1) {
      let next = field + 4;
      const wide = (value: number) => {
        if (value !== elsewhere) return value;
        if (next + 8 > field_end) throw damaged(source, `${quote(name)} lacks its size`);
        next += 8;
        return Number(view.getBigUint64(next - 8, true));
      };
      // In this order in the field, each only where the narrow one is missing.
      bytes = wide(bytes);
      packed = wide(packed);
      local = wide(local);
      return { packed, bytes, local };
    }
    field = field_end;
  }
  return { packed, bytes, local }; // Exactly 2^32 - 1, and no ZIP64: checked against the file like any other.
}

/** Where the content begins: the entry repeats its header in front of it, with an extra field of another length. */
async function contentOffset(source: ByteSource, header: CentralHeader): Promise<number> {
  const outside = () => damaged(source, `${quote(header.name)} reaches outside the file`);
  if (header.local + 30 > source.size) throw outside();
  const bytes = await source.read(header.local, 30);
  const view = new DataView(bytes.buffer);
  if (view.getUint32(0, true) !== local_mark) throw damaged(source, `${quote(header.name)} has no header`);
  const name_bytes = view.getUint16(26, true);
  const offset = header.local + 30 + name_bytes + view.getUint16(28, true);
  if (offset + header.bytes > source.size) throw outside();
  const name = await source.read(header.local + 30, name_bytes);
  const packed = view.getUint32(18, true);
  const sizes_here = (view.getUint16(6, true) & sizes_follow_flag) === 0 && packed !== elsewhere;
  if (
    decodeName(source, name) !== header.name || view.getUint16(8, true) !== stored ||
    sizes_here && packed !== header.bytes
  ) {
    throw damaged(source, `the two headers of ${quote(header.name)} differ`);
  }
  return offset;
}

function damaged(source: ByteSource, reason: string) {
  return importError("import_damaged", source.path, reason);
}

function refused(source: ByteSource, reason: string) {
  return importError("import_refused", source.path, reason);
}
