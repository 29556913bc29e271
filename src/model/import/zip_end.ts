// The records at the end of a ZIP archive: where its directory stands, ZIP64 included. Must not know entries.
import type { ByteSource } from "./byte_source.ts";
import { importError } from "./import_error.ts";
import { import_limits } from "./limits.ts";

export interface ZipDirectory {
  offset: number;
  bytes: number;
  count: number;
}

const end_mark = 0x06054b50;
const end_bytes = 22;
const wide_end_mark = 0x06064b50;
const wide_end_bytes = 56;
const locator_mark = 0x07064b50;
const locator_bytes = 20;

/** Throws ImportError when the end is missing (the file is cut short) or the directory cannot be. */
export async function findDirectory(source: ByteSource): Promise<ZipDirectory> {
  const tail_bytes = Math.min(
    source.size,
    end_bytes + locator_bytes + import_limits.zip_comment_bytes_max,
  );
  const tail = new DataView((await source.read(source.size - tail_bytes, tail_bytes)).buffer);
  const at = findEnd(tail);
  if (at === undefined) {
    throw damaged(source, "it is not whole: the directory at the end of the archive is missing");
  }
  const end = source.size - tail_bytes + at;
  const wide = at >= locator_bytes && tail.getUint32(at - locator_bytes, true) === locator_mark
    ? await readWideEnd(source, Number(tail.getBigUint64(at - locator_bytes + 8, true)))
    : undefined;
  const directory = wide ?? {
    count: tail.getUint16(at + 10, true),
    bytes: tail.getUint32(at + 12, true),
    offset: tail.getUint32(at + 16, true),
  };
  const { offset, bytes, count } = directory;
  if (count > import_limits.zip_entries_max || bytes > import_limits.zip_directory_bytes_max) {
    throw importError(
      "import_refused",
      source.path,
      `its directory claims ${count} entries in ${bytes} bytes`,
    );
  }
  if (offset + bytes > end) throw damaged(source, "its directory reaches outside the file");
  return directory;
}

/** The last end record whose comment reaches exactly to the end of the file. */
function findEnd(tail: DataView): number | undefined {
  for (let at = tail.byteLength - end_bytes; at >= 0; at--) {
    if (tail.getUint32(at, true) !== end_mark) continue;
    if (at + end_bytes + tail.getUint16(at + 20, true) === tail.byteLength) return at;
  }
  return undefined;
}

async function readWideEnd(source: ByteSource, offset: number): Promise<ZipDirectory> {
  if (offset + wide_end_bytes > source.size) throw damaged(source, "its end record reaches outside the file");
  const view = new DataView((await source.read(offset, wide_end_bytes)).buffer);
  if (view.getUint32(0, true) !== wide_end_mark) throw damaged(source, "its end record is missing");
  const wide = (at: number) => Number(view.getBigUint64(at, true));
  return { count: wide(32), bytes: wide(40), offset: wide(48) };
}

function damaged(source: ByteSource, reason: string) {
  return importError("import_damaged", source.path, reason);
}
