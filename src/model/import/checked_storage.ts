// The CRC-32 that a ZIP archive keeps of a storage, checked while the storage is read: a flipped bit or a hole in the
// file would otherwise become weights. Must not know pickles or element types.
import { crc32 } from "node:zlib";
import type { ByteSource } from "./byte_source.ts";
import { importError, quote } from "./import_error.ts";
import { import_limits } from "./limits.ts";
import type { ZipEntry } from "./zip_directory.ts";

type Pieces = AsyncGenerator<Uint8Array<ArrayBuffer>>;

/** Of one storage, which several tensors may share. 0 says that the writer left the CRC out: nothing is checked then. */
export class CheckedStorage {
  #sound: Promise<boolean> | undefined;

  constructor(readonly source: ByteSource, readonly entry: ZipEntry) {}

  /** `pieces` are the whole storage in order: checked as they pass. The last one is held back until all are known. */
  async *passing(name: string, pieces: Pieces): Pieces {
    let sum = 0;
    let held: Uint8Array<ArrayBuffer> | undefined;
    for await (const piece of pieces) {
      if (held) yield held;
      sum = crc32(piece, sum);
      held = piece;
    }
    if (this.entry.crc32 !== 0 && sum !== this.entry.crc32) throw this.#damaged(name);
    if (held) yield held;
  }

  /** `pieces` are a part or in another order: the storage is read once more for them, before the first of them all. */
  async *before(name: string, pieces: Pieces): Pieces {
    this.#sound ??= this.entry.crc32 === 0 ? Promise.resolve(true) : this.#readAll();
    if (!await this.#sound) throw this.#damaged(name);
    yield* pieces;
  }

  async #readAll(): Promise<boolean> {
    const { offset, bytes } = this.entry;
    const piece_bytes = import_limits.gather_read_bytes;
    let sum = 0;
    for (let at = 0; at < bytes; at += piece_bytes) {
      sum = crc32(await this.source.read(offset + at, Math.min(piece_bytes, bytes - at)), sum);
    }
    return sum === this.entry.crc32;
  }

  #damaged(name: string) {
    return damagedContent(this.source, `tensor ${quote(name)}`);
  }
}

/** Throws ImportError. For content that is read whole. */
export function checkContent(source: ByteSource, entry: ZipEntry, content: Uint8Array): void {
  if (entry.crc32 !== 0 && crc32(content) !== entry.crc32) throw damagedContent(source, quote(entry.name));
}

function damagedContent({ path }: ByteSource, what: string) {
  return importError(
    "import_damaged",
    path,
    `${what} is not as it was saved: its bytes do not have the CRC-32 that the file says; copy or download it again`,
  );
}
