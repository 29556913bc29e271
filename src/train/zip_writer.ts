// A ZIP archive of stored entries, written from front to back: content aligned as torch.save does, CRC-32 filled in
// behind it, ZIP64 where sizes need it. Must not know what is in the entries.
import { crc32 } from "node:zlib";

interface Written {
  name: Uint8Array;
  bytes: number;
  crc32: number;
  /** Of the entry's own header. */
  offset: number;
}

/** Content begins at a multiple of this, so that loaders may map it. */
const alignment_bytes = 64;
const local_bytes = 30;
const elsewhere = 0xffffffff;
/** 1 January 1980, the first day of ZIP. */
const date = 0x0021;
const version_needed = 45;

export class ZipWriter {
  readonly #entries: Written[] = [];
  #at = 0;

  /** `wide_from_bytes`: sizes and offsets from here on stand in ZIP64 records. */
  constructor(readonly file: Deno.FsFile, readonly wide_from_bytes: number = elsewhere) {}

  /** `bytes`: of all `pieces` together. Throws RangeError when they are more or less. */
  async add(name: string, bytes: number, pieces: Iterable<Uint8Array>): Promise<void> {
    const entry: Written = { name: new TextEncoder().encode(name), bytes, crc32: 0, offset: this.#at };
    const header = this.#localHeader(entry);
    await this.#write(header);
    const end = this.#at + bytes;
    for (const piece of pieces) {
      entry.crc32 = crc32(piece, entry.crc32);
      await this.#write(piece);
    }
    if (this.#at !== end) {
      throw new RangeError(`Entry "${name}" has ${bytes + this.#at - end} of ${bytes} bytes`);
    }
    new DataView(header.buffer).setUint32(14, entry.crc32, true);
    await this.file.seek(entry.offset, Deno.SeekMode.Start);
    await writeAll(this.file, header);
    await this.file.seek(this.#at, Deno.SeekMode.Start);
    this.#entries.push(entry);
  }

  /** Directory and end records. Nothing may be added then. */
  async end(): Promise<void> {
    const start = this.#at;
    for (const entry of this.#entries) await this.#write(this.#centralHeader(entry));
    const bytes = this.#at - start, count = this.#entries.length;
    const wide = start >= this.wide_from_bytes || bytes >= this.wide_from_bytes || count >= 0xffff;
    if (wide) {
      await this.#write(
        record((w) =>
          w.u32(0x06064b50).u64(44).u16(version_needed).u16(version_needed).u32(0).u32(0)
            .u64(count).u64(count).u64(bytes).u64(start)
            .u32(0x07064b50).u32(0).u64(this.#at).u32(1)
        ),
      );
    }
    const shown = wide ? [0xffff, elsewhere, elsewhere] : [count, bytes, start];
    await this.#write(
      record((w) =>
        w.u32(0x06054b50).u32(0).u16(shown[0]!).u16(shown[0]!).u32(shown[1]!).u32(shown[2]!).u16(0)
      ),
    );
  }

  #localHeader({ name, bytes, offset }: Written): Uint8Array<ArrayBuffer> {
    const wide = bytes >= this.wide_from_bytes;
    const fixed_bytes = local_bytes + name.length + (wide ? 20 : 0) + 4;
    const padding_bytes = (alignment_bytes - (offset + fixed_bytes) % alignment_bytes) % alignment_bytes;
    const size = wide ? elsewhere : bytes;
    return record((w) => {
      w.u32(0x04034b50).u16(version_needed).u16(0).u16(0).u16(0).u16(date).u32(0).u32(size).u32(size);
      w.u16(name.length).u16((wide ? 20 : 0) + 4 + padding_bytes).bytes(name);
      if (wide) w.u16(1).u16(16).u64(bytes).u64(bytes);
      // "FB", as torch pads.
      return w.u16(0x4246).u16(padding_bytes).bytes(new Uint8Array(padding_bytes).fill(0x5a));
    });
  }

  #centralHeader({ name, bytes, crc32, offset }: Written): Uint8Array<ArrayBuffer> {
    // All three or none: loaders check a narrow size against a narrow offset.
    const wide = Math.max(bytes, offset) >= this.wide_from_bytes, size = wide ? elsewhere : bytes;
    return record((w) => {
      w.u32(0x02014b50).u16(version_needed).u16(version_needed).u16(0).u16(0).u16(0).u16(date);
      w.u32(crc32).u32(size).u32(size).u16(name.length).u16(wide ? 28 : 0).u16(0).u16(0).u16(0).u32(0);
      w.u32(wide ? elsewhere : offset).bytes(name);
      return wide ? w.u16(1).u16(24).u64(bytes).u64(bytes).u64(offset) : w;
    });
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.file, bytes);
    this.#at += bytes.length;
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** Little-endian numbers one behind the other. */
class Record {
  readonly #parts: number[] = [];

  u16(value: number): this {
    return this.#number(value, 2);
  }
  u32(value: number): this {
    return this.#number(value, 4);
  }
  u64(value: number): this {
    return this.#number(value, 8);
  }
  bytes(bytes: Uint8Array): this {
    this.#parts.push(...bytes);
    return this;
  }
  whole(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#parts);
  }

  /** Below 2^53; by division, for shifts end at 32 bits. */
  #number(value: number, byte_count: number): this {
    for (let left = value, i = 0; i < byte_count; i++, left = Math.floor(left / 256)) {
      this.#parts.push(left % 256);
    }
    return this;
  }
}

function record(fill: (writer: Record) => Record): Uint8Array<ArrayBuffer> {
  return fill(new Record()).whole();
}
