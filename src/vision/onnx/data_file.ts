// The file beside a model that holds its large constants ("external data"): written front to back, hashed on the
// way. Must not know graphs.
import { createHash } from "node:crypto";

export interface DataPlace {
  offset_bytes: number;
  length_bytes: number;
}

/** A page: the runtime maps the file into memory and takes the constants as they lie there. */
const alignment_bytes = 4096;

export class DataFile implements AsyncDisposable {
  readonly #file: Deno.FsFile;
  readonly #hash = createHash("sha256");
  #end_bytes = 0;
  #closed = false;

  private constructor(readonly path: string, file: Deno.FsFile) {
    this.#file = file;
  }

  /** Replaces what is there. */
  static async create(path: string): Promise<DataFile> {
    return new DataFile(path, await Deno.open(path, { write: true, create: true, truncate: true }));
  }

  get bytes(): number {
    return this.#end_bytes;
  }

  /** Where the bytes went; each piece begins at a multiple of a page. */
  async append(bytes: Uint8Array): Promise<DataPlace> {
    const gap_bytes = (alignment_bytes - this.#end_bytes % alignment_bytes) % alignment_bytes;
    await this.#write(new Uint8Array(gap_bytes));
    const place = { offset_bytes: this.#end_bytes, length_bytes: bytes.byteLength };
    await this.#write(bytes);
    return place;
  }

  /** SHA-256 of the whole file; nothing can be appended afterwards. */
  async finish(): Promise<string> {
    await this.#file.sync();
    await this[Symbol.asyncDispose]();
    return this.#hash.digest("hex");
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) this.#file.close();
    this.#closed = true;
    return Promise.resolve();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#end_bytes += bytes.byteLength;
    for (let written = 0; written < bytes.byteLength;) {
      written += await this.#file.write(bytes.subarray(written));
    }
  }
}
