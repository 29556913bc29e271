// One process per data folder. Owns the file gander.lock: an advisory whole-file lock that the kernel drops when the
// process dies, however it dies, so it is never stale. Its content is the owner's process id while open, and nothing
// after a clean close: that is how the next start knows. Must not know SQLite.
import { StoreError, storeError } from "./errors.ts";
import { store_limits } from "./limits.ts";

const lock_name = "gander.lock";

function readOwner(file: Deno.FsFile): string {
  const bytes = new Uint8Array(store_limits.lock_owner_bytes_max);
  file.seekSync(0, Deno.SeekMode.Start);
  const count = file.readSync(bytes) ?? 0;
  return new TextDecoder().decode(bytes.subarray(0, count)).trim();
}

function writeOwner(file: Deno.FsFile, owner: string): void {
  const bytes = new TextEncoder().encode(owner);
  file.seekSync(0, Deno.SeekMode.Start);
  file.writeSync(bytes);
  // Last: on a full disk the write fails and the old content, which says "unclean", is still there.
  file.truncateSync(bytes.length);
  file.syncSync();
}

export class FolderLock {
  /** True when the last owner did not close: it was killed, or the power went. */
  readonly unclean: boolean;
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile, unclean: boolean) {
    this.#file = file;
    this.unclean = unclean;
  }

  static take(data_dir: string): FolderLock {
    const action = `open the data folder "${data_dir}"`;
    let file: Deno.FsFile | undefined;
    try {
      file = Deno.openSync(`${data_dir}/${lock_name}`, {
        read: true,
        write: true,
        create: true,
        mode: 0o600,
      });
      if (!file.tryLockSync(true)) {
        const owner = readOwner(file);
        const who = /^\d+$/.test(owner) ? `process ${owner}` : "another process";
        throw new StoreError("store_failed", `Cannot ${action}: data folder is in use by ${who}`, "never");
      }
      const unclean = readOwner(file) !== "";
      writeOwner(file, String(Deno.pid));
      return new FolderLock(file, unclean);
    } catch (cause) {
      file?.close();
      throw storeError(action, cause);
    }
  }

  /** The file stays: removing it would let two processes hold locks on two files of the same name. */
  release(how: { clean: boolean }): void {
    try {
      if (how.clean) writeOwner(this.#file, "");
    } finally {
      // Closing is not enough: a child process being started right now has a copy of the descriptor until it runs.
      this.#file.unlockSync();
      this.#file.close();
    }
  }
}
