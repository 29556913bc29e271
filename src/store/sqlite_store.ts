// The store: what survives a crash. One database and one folder of snapshots in a data folder that belongs to this
// process alone. Keeps the promise of the caption log: per stream 1, 2, 3 … without gaps, for ever.
// Must not know HTTP, the model, or when anything is due.
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type {
  AnswerRecord,
  Caption,
  CaptionQuery,
  SnapshotHead,
  Store,
  TickRecord,
} from "../pipeline/ports.ts";
import { Answers } from "./answers.ts";
import { CaptionLog } from "./caption_log.ts";
import { Database, type Fsync } from "./database.ts";
import { StoreError, storeError } from "./errors.ts";
import { FolderLock } from "./folder_lock.ts";
import { type PruneRequest, type PruneResult, Retention } from "./retention.ts";
import { Settings, type StoredStream } from "./settings.ts";
import { isStreamName } from "./snapshot_folder.ts";
import { Snapshots } from "./snapshots.ts";
import { type StreamHead, StreamHeads } from "./stream_heads.ts";
import { TickJournal } from "./tick_journal.ts";

export interface StoreOptions {
  /** Created when missing, readable by its owner only. */
  data_dir: string;
  fsync: Fsync;
  log: Log;
  clock: Clock;
}

export class SqliteStore implements Store {
  readonly settings: Settings;
  readonly #lock: FolderLock;
  readonly #log: Log;
  readonly #database: Database;
  readonly #heads: StreamHeads;
  readonly #captions: CaptionLog;
  readonly #ticks: TickJournal;
  readonly #answers: Answers;
  readonly #snapshots: Snapshots;
  readonly #retention: Retention;
  #open = true;

  /** Use `openStore`. Takes over the lock. */
  constructor({ data_dir, fsync, log, clock }: StoreOptions, lock: FolderLock) {
    this.#lock = lock;
    this.#log = log;
    const started_ms = clock.monotonic_ms();
    this.#database = new Database({ data_dir, fsync, verify: lock.unclean, log });
    try {
      if (lock.unclean) {
        log.warn("store was not closed cleanly: verified", { took_ms: clock.monotonic_ms() - started_ms });
      }
      this.settings = new Settings(this.#database);
      this.#heads = new StreamHeads(this.#database);
      this.#captions = new CaptionLog(this.#database);
      this.#ticks = new TickJournal(this.#database);
      this.#answers = new Answers(this.#database);
      this.#snapshots = new Snapshots(data_dir, log);
      this.#retention = new Retention(this.#database, this.#captions, this.#ticks, this.#answers);
      this.#catchUp();
    } catch (cause) {
      this.#database.close();
      throw cause;
    }
  }

  lastSeq(stream: string): number {
    return Math.max(this.#heads.get(stream).last_seq, this.#snapshots.newestSeq(stream));
  }

  /** Newest tick ever committed, trimmed or not; 0 at the start. The next one must be greater. */
  lastTick(stream: string): number {
    return Math.max(0, this.#heads.get(stream).last_tick);
  }

  /** The journal holds every committed tick after this one and none up to it; 0 when nothing was trimmed. */
  trimmedTick(stream: string): number {
    return Math.max(0, this.#heads.get(stream).trimmed_tick);
  }

  captions(stream: string, query: CaptionQuery): Caption[] {
    return this.#captions.find(stream, query);
  }

  commitTick(stream: string, record: TickRecord, caption: Caption | undefined): void {
    const action = `commit tick ${record.tick} of stream "${stream}"`;
    this.#checkOrder(action, stream, record, caption);
    this.#advance(stream, action, { last_tick: record.tick, last_seq: caption?.seq }, () => {
      this.#ticks.add(stream, record);
      if (caption) this.#captions.add(caption);
    });
  }

  ticksAfter(stream: string, tick: number): TickRecord[] {
    return this.#ticks.after(stream, tick);
  }

  trimTicks(stream: string, tick: number): void {
    if (tick <= this.#heads.get(stream).trimmed_tick) return;
    this.#advance(stream, `trim the ticks of stream "${stream}"`, { trimmed_tick: tick }, () => {
      this.#ticks.removeUpTo(stream, tick, -1);
    });
  }

  writeSnapshot(head: SnapshotHead, blob: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#whileOpen(() => this.#snapshots.write(head, blob));
  }

  listSnapshots(stream: string): SnapshotHead[] {
    return this.#snapshots.list(stream);
  }

  readSnapshot(stream: string, tick: number): Promise<{ head: SnapshotHead; blob: Uint8Array } | undefined> {
    return this.#whileOpen(() => this.#snapshots.read(stream, tick));
  }

  deleteSnapshot(stream: string, tick: number): void {
    this.#snapshots.remove(stream, tick);
  }

  saveAnswer(answer: AnswerRecord): void {
    this.#advance(answer.stream, `save answer "${answer.id}"`, {}, () => this.#answers.save(answer));
  }

  /** Newest first. */
  answers(stream: string, limit: number): AnswerRecord[] {
    return this.#answers.newest(stream, limit);
  }

  /** Oldest first. */
  loadStreams(): StoredStream[] {
    return this.settings.loadStreams();
  }

  saveStream(stream: StoredStream): void {
    if (!isStreamName(stream.id)) {
      throw new StoreError("store_failed", `Cannot save stream "${stream.id}": not a stream's name`, "never");
    }
    this.settings.saveStream(stream);
  }

  /**
   * Everything of it: files, captions, ticks, answers, settings. The stream must be at rest. What a crash interrupts
   * can be asked for again: the settings go last.
   */
  async deleteStream(id: string): Promise<void> {
    await this.#whileOpen(() => this.#snapshots.removeAll(id));
    await this.#retention.removeRows(id);
    this.#database.transact(`delete stream "${id}"`, () => {
      this.#heads.remove(id);
      this.settings.removeStream(id);
    });
    this.#heads.forget(id);
  }

  /** Forgets old captions and answers, and says how many. Numbers go on: what is pruned is never given again. */
  prune(stream: string, request: PruneRequest): Promise<PruneResult> {
    return this.#retention.prune(stream, request);
  }

  /** For metrics: bytes on disk of the database and of its write-ahead log. */
  sizes(): { file_bytes: number; wal_bytes: number } {
    return this.#database.sizes();
  }

  /** Waits for snapshots being written, then closes. Twice is fine. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#snapshots.idle();
    let clean = false;
    try {
      this.#database.close();
      clean = true;
    } catch (error) {
      // What was committed is in the write-ahead log, and the next start verifies it.
      this.#log.warn("store not closed cleanly", { error });
    } finally {
      this.#lock.release({ clean });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOrder(action: string, stream: string, record: TickRecord, caption: Caption | undefined): void {
    const refuse = (reason: string) => new StoreError("store_failed", `Cannot ${action}: ${reason}`, "never");
    const { last_tick } = this.#heads.get(stream);
    if (!isStreamName(stream)) throw refuse("not a stream's name");
    if (!Number.isSafeInteger(record.tick) || record.tick < 0) throw refuse("not a tick number");
    if (record.tick <= last_tick) throw refuse(`tick ${last_tick} is committed already`);
    if (!caption) return;
    const last_seq = this.lastSeq(stream);
    if (caption.seq !== last_seq + 1) {
      throw refuse(`caption number ${caption.seq} does not follow ${last_seq}`);
    }
    if (caption.stream !== stream || caption.tick !== record.tick) {
      throw refuse(`its caption is of tick ${caption.tick} of stream "${caption.stream}"`);
    }
  }

  /** One transaction: where the stream stands, and the rows that go with it. */
  #advance(stream: string, action: string, change: Partial<StreamHead>, body: () => void): void {
    const head = { ...this.#heads.get(stream) };
    for (const [key, value] of Object.entries(change)) {
      if (value !== undefined) head[key as keyof StreamHead] = value;
    }
    this.#database.transact(action, () => {
      this.#heads.write(stream, head);
      body();
    });
    this.#heads.adopt(stream, head);
  }

  /** Log and snapshots share one sequence: after a power loss in `normal` mode the snapshots may be ahead. */
  #catchUp(): void {
    for (const stream of this.#snapshots.streams()) {
      const last_seq = this.#snapshots.newestSeq(stream);
      const known = this.#heads.get(stream).last_seq;
      if (last_seq <= known) continue;
      this.#log.warn("caption log is behind the snapshots", {
        stream,
        last_seq: known,
        snapshot_seq: last_seq,
      });
      this.#advance(stream, `advance stream "${stream}"`, { last_seq }, () => {});
    }
  }

  async #whileOpen<T>(body: () => Promise<T>): Promise<T> {
    if (!this.#open) throw new StoreError("store_failed", "Cannot use the store: it is closed", "never");
    return await body();
  }
}

/** Throws StoreError: in use by another process, written by a newer Gander, damaged, or not writable. */
export function openStore(options: StoreOptions): SqliteStore {
  const { data_dir } = options;
  try {
    Deno.mkdirSync(data_dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw storeError(`create the data folder "${data_dir}"`, cause);
  }
  const lock = FolderLock.take(data_dir);
  try {
    return new SqliteStore(options, lock);
  } catch (cause) {
    // As clean as it was found: a start that was refused has changed nothing.
    lock.release({ clean: !lock.unclean });
    throw cause;
  }
}
