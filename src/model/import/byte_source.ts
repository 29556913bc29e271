// Where the bytes of a checkpoint come from: a file, or memory in tests. Owns the file handle, and that nothing is
// read or allocated beyond the end. Must not know containers.
import { reason } from "../bundle_files.ts";
import { importError } from "./import_error.ts";

export interface ByteSource extends AsyncDisposable {
  /** As the user gave it; sentences name it. */
  readonly path: string;
  readonly size: number;
  /** A buffer of its own with exactly these bytes. Rejects with ImportError when they are not there. */
  read(offset: number, byte_count: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Opens a regular file: anything else (a pipe, a device) could wait for ever. Throws ImportError. */
export async function openFile(path: string): Promise<ByteSource> {
  let file: Deno.FsFile | undefined;
  try {
    if (!(await Deno.stat(path)).isFile) throw new Error("it is not a file");
    file = await Deno.open(path, { read: true });
    return new FileSource(path, (await file.stat()).size, file);
  } catch (cause) {
    file?.close();
    throw importError("import_unreadable", path, reason(cause), cause);
  }
}

export function memorySource(path: string, bytes: Uint8Array<ArrayBuffer>): ByteSource {
  return {
    path,
    size: bytes.length,
    read: (offset, byte_count) => {
      const problem = checkRange(path, bytes.length, offset, byte_count);
      return problem ? Promise.reject(problem) : Promise.resolve(bytes.slice(offset, offset + byte_count));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function checkRange(path: string, size: number, offset: number, byte_count: number) {
  const inside = Number.isSafeInteger(offset) && offset >= 0 &&
    Number.isSafeInteger(byte_count) && byte_count >= 0 && offset + byte_count <= size;
  if (inside) return undefined;
  return importError(
    "import_damaged",
    path,
    `it has ${size} bytes, and ${byte_count} are needed at ${offset}; it is cut short or damaged`,
  );
}

class FileSource implements ByteSource {
  /** A handle has one position, so reads take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(readonly path: string, readonly size: number, readonly file: Deno.FsFile) {}

  read(offset: number, byte_count: number): Promise<Uint8Array<ArrayBuffer>> {
    const problem = checkRange(this.path, this.size, offset, byte_count);
    if (problem) return Promise.reject(problem);
    const bytes = this.#turn.then(() => this.#readNow(offset, byte_count));
    this.#turn = bytes.catch(() => {}); // Whoever asked gets the failure; the next read is a new try.
    return bytes;
  }

  async #readNow(offset: number, byte_count: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(byte_count);
    try {
      await this.file.seek(offset, Deno.SeekMode.Start);
      for (let at = 0; at < byte_count;) {
        const count = await this.file.read(bytes.subarray(at));
        if (count === null) throw new Error("it became shorter while it was read");
        at += count;
      }
      return bytes;
    } catch (cause) {
      throw importError("import_unreadable", this.path, reason(cause), cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn;
    this.file.close();
  }
}
