// Snapshots of every stream: an index in memory, one file each on disk. Writes of one stream keep their order, those of
// different streams run side by side. Must not know SQLite, or when a snapshot is due.
import type { Log } from "../log.ts";
import type { SnapshotHead } from "../pipeline/ports.ts";
import { isUnreadable, StoreError, storeError } from "./errors.ts";
import { store_limits } from "./limits.ts";
import { OrderedJobs } from "./ordered_jobs.ts";
import { blobOf, encodeSnapshot, SnapshotRefused } from "./snapshot_file.ts";
import {
  isStreamName,
  listFolder,
  putAside,
  readWhole,
  replaceFile,
  syncFolder,
  tickName,
} from "./snapshot_folder.ts";

export class Snapshots {
  readonly #root: string;
  readonly #log: Log;
  readonly #jobs = new OrderedJobs();
  readonly #waiting = new Map<string, number>();
  /** Newest first. */
  readonly #index = new Map<string, SnapshotHead[]>();

  constructor(data_dir: string, log: Log) {
    this.#root = `${data_dir}/snapshots`;
    this.#log = log;
    try {
      Deno.mkdirSync(this.#root, { recursive: true, mode: 0o700 });
      for (const [stream, heads] of listFolder(this.#root, log)) {
        this.#index.set(stream, heads.sort((a, b) => b.tick - a.tick));
      }
    } catch (cause) {
      throw storeError(`read the snapshots in "${this.#root}"`, cause);
    }
  }

  /** Streams that have a folder here. */
  streams(): string[] {
    return [...this.#index.keys()];
  }

  /** Newest first. */
  list(stream: string): SnapshotHead[] {
    return [...this.#index.get(stream) ?? []];
  }

  /** The largest caption number any snapshot knows of; 0 when there is none. */
  newestSeq(stream: string): number {
    return (this.#index.get(stream) ?? []).reduce((newest, head) => Math.max(newest, head.seq), 0);
  }

  /** `blob` is copied before this returns; the promise resolves when the file survives a power loss. */
  async write(head: SnapshotHead, blob: Uint8Array): Promise<void> {
    const { stream, tick } = head;
    const action = `write snapshot ${tick} of stream "${stream}"`;
    const folder = this.#folder(stream, action);
    const waiting = this.#waiting.get(stream) ?? 0;
    if (waiting >= store_limits.writes_waiting_max) {
      throw new StoreError("store_failed", `Cannot ${action}: ${waiting} writes are waiting for the disk`);
    }
    this.#waiting.set(stream, waiting + 1);
    const kept: SnapshotHead = { ...head, thumbnail: head.thumbnail.slice() };
    const encoded = encodeSnapshot(kept, blob);
    encoded.catch(() => {}); // Reported by the job below, which may start much later.
    try {
      await this.#jobs.run(stream, async () => {
        const bytes = await encoded;
        await this.#makeFolder(folder);
        await replaceFile(folder, tickName(tick), bytes);
        const others = this.list(stream).filter((other) => other.tick !== tick);
        this.#index.set(stream, [kept, ...others].sort((a, b) => b.tick - a.tick));
      });
    } catch (cause) {
      const bug = cause instanceof RangeError || cause instanceof SnapshotRefused;
      if (bug) throw new StoreError("store_failed", `Cannot ${action}: ${cause.message}`, "never", { cause });
      throw storeError(action, cause);
    } finally {
      const left = this.#waiting.get(stream)! - 1;
      if (left > 0) this.#waiting.set(stream, left);
      else this.#waiting.delete(stream);
    }
  }

  /** Verified, or undefined when damaged or gone. A file of another format version is refused with StoreError. */
  read(stream: string, tick: number): Promise<{ head: SnapshotHead; blob: Uint8Array } | undefined> {
    const action = `read snapshot ${tick} of stream "${stream}"`;
    return this.#jobs.run(stream, async () => {
      const folder = this.#folder(stream, action);
      try {
        const { head, bytes } = await readWhole(`${folder}/${tickName(tick)}`, { stream, tick });
        return { head, blob: blobOf(bytes) };
      } catch (cause) {
        if (cause instanceof Deno.errors.NotFound) {
          this.#log.warn("snapshot gone", { stream, tick });
          this.#drop(stream, tick);
          return undefined;
        }
        if (cause instanceof SnapshotRefused && cause.why === "version") {
          throw new StoreError("store_failed", `Cannot ${action}: ${cause.message}`, "never", { cause });
        }
        if (!(cause instanceof SnapshotRefused) && !isUnreadable(cause)) throw storeError(action, cause);
        this.#log.error("snapshot damaged", { stream, tick, error: cause });
        this.#drop(stream, tick);
        try {
          putAside(folder, tick);
        } catch (error) {
          this.#log.warn("damaged snapshot left in its place", { stream, tick, error });
        }
        return undefined;
      }
    });
  }

  /** One that is gone already is no error. */
  remove(stream: string, tick: number): void {
    const action = `delete snapshot ${tick} of stream "${stream}"`;
    const folder = this.#folder(stream, action);
    try {
      Deno.removeSync(`${folder}/${tickName(tick)}`);
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw storeError(action, cause);
    }
    this.#drop(stream, tick);
  }

  /** Every file of a stream, after what is being written. Durable when it resolves. */
  async removeAll(stream: string): Promise<void> {
    const action = `delete the snapshots of stream "${stream}"`;
    const folder = this.#folder(stream, action);
    await this.#jobs.run(stream, async () => {
      try {
        await Deno.remove(folder, { recursive: true });
        await syncFolder(this.#root);
      } catch (cause) {
        if (!(cause instanceof Deno.errors.NotFound)) throw storeError(action, cause);
      }
      this.#index.delete(stream);
    });
  }

  /** Resolves when every write that was asked for has ended. */
  idle(): Promise<void> {
    return this.#jobs.idle();
  }

  #folder(stream: string, action: string): string {
    if (isStreamName(stream)) return `${this.#root}/${stream}`;
    throw new StoreError("store_failed", `Cannot ${action}: not a stream's name`, "never");
  }

  async #makeFolder(folder: string): Promise<void> {
    try {
      await Deno.mkdir(folder, { mode: 0o700 });
    } catch (cause) {
      if (cause instanceof Deno.errors.AlreadyExists) return;
      throw cause;
    }
    await syncFolder(this.#root);
  }

  #drop(stream: string, tick: number): void {
    const heads = this.#index.get(stream);
    if (heads) this.#index.set(stream, heads.filter((head) => head.tick !== tick));
  }
}
