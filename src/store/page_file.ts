// Pages of one size in one file that has no name: it is deleted as soon as it is open, so nothing is left behind, however
// the process ends. What lies here is worth nothing without the process. Must not know what a page holds.
import { StoreError, storeError } from "./errors.ts";
import { store_limits } from "./limits.ts";

export class PageFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #page_bytes: number;
  readonly #free: number[] = [];
  #count = 0;

  /** `page_bytes`: the size of every page, exactly. */
  constructor(folder: string, page_bytes: number) {
    const path = `${folder}/states-${crypto.randomUUID()}.pages`;
    try {
      this.#file = Deno.openSync(path, { read: true, write: true, createNew: true, mode: 0o600 });
      Deno.removeSync(path);
    } catch (error) {
      throw storeError(`make a page file in "${folder}"`, error);
    }
    this.#page_bytes = page_bytes;
  }

  /** Answers the number to read it by. Throws StoreError when the disk is full; nothing is kept then. */
  write(bytes: Uint8Array): number {
    if (bytes.length !== this.#page_bytes) {
      throw new RangeError(`Cannot keep a page of ${bytes.length} bytes: pages have ${this.#page_bytes}`);
    }
    const page = this.#free.pop() ?? this.#count;
    if (page >= store_limits.pages_max) {
      throw new StoreError("disk_full", `Cannot keep a page: all ${store_limits.pages_max} are taken`);
    }
    try {
      this.#seek(page);
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    } catch (error) {
      if (page < this.#count) this.#free.push(page);
      throw storeError("keep a page", error);
    }
    this.#count = Math.max(this.#count, page + 1);
    return page;
  }

  read(page: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#page_bytes);
    try {
      this.#seek(page);
      for (let at = 0; at < bytes.length;) {
        const count = this.#file.readSync(bytes.subarray(at));
        if (count === null) throw new StoreError("store_damaged", `Cannot read page ${page}: it is cut off`);
        at += count;
      }
    } catch (error) {
      throw storeError(`read page ${page}`, error);
    }
    return bytes;
  }

  /** The place is used again by the next write. */
  free(page: number): void {
    this.#free.push(page);
  }

  get count(): number {
    return this.#count - this.#free.length;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #seek(page: number): void {
    this.#file.seekSync(page * this.#page_bytes, Deno.SeekMode.Start);
  }
}
