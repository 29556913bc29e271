// A store in memory that keeps the promises of the one on disk, and breaks them when a test says so. `clone` is what a
// power loss at this moment would leave.
import type { Clock } from "../../src/clock.ts";
import { GanderError } from "../../src/errors.ts";
import type {
  AnswerRecord,
  Caption,
  CaptionQuery,
  SnapshotHead,
  Store,
  StoredStream,
  TickRecord,
} from "../../src/pipeline/ports.ts";

interface Kept {
  head: SnapshotHead;
  blob: Uint8Array<ArrayBuffer>;
  damaged: boolean;
}

interface Shelf {
  captions: Caption[];
  ticks: TickRecord[];
  snapshots: Map<number, Kept>;
  answers: AnswerRecord[];
  last_tick: number;
  last_seq: number;
}

function emptyShelf(): Shelf {
  return { captions: [], ticks: [], snapshots: new Map(), answers: [], last_tick: -1, last_seq: 0 };
}

export class MemoryStore implements Store {
  /** Faults, all off. A full disk refuses ticks, snapshots and answers until there is room again. */
  disk_full = false;
  /** The next commits throw it. */
  commit_error: GanderError | undefined;
  commit_errors_left = 0;
  /** How long a snapshot takes to write or read, on the clock. */
  write_ms = 0;
  read_ms = 0;
  /** Every tick ever committed here, trimmed or not. */
  readonly history: TickRecord[] = [];
  /** Told of every operation, before and after it: where a test pulls the plug. */
  onOperation: ((name: string) => void) | undefined;
  readonly #clock: Clock | undefined;
  #streams = new Map<string, StoredStream>();
  #shelves = new Map<string, Shelf>();
  readonly #jobs = new Map<string, Promise<unknown>>();

  constructor(clock?: Clock) {
    this.#clock = clock;
  }

  /** Everything that was written so far; writes under way are lost. The same streams, no faults. */
  clone(clock = this.#clock): MemoryStore {
    const copy = new MemoryStore(clock);
    copy.#streams = structuredClone(this.#streams);
    copy.#shelves = structuredClone(this.#shelves);
    return copy;
  }

  /** Flips bits of a snapshot; the newest unless a tick is named. */
  damage(stream: string, tick = this.listSnapshots(stream)[0]!.tick): void {
    this.#shelf(stream).snapshots.get(tick)!.damaged = true;
  }

  ticks(stream: string): TickRecord[] {
    return this.#look(stream).ticks;
  }

  lastSeq(stream: string): number {
    const { last_seq, snapshots } = this.#look(stream);
    return Math.max(last_seq, ...[...snapshots.values()].map(({ head }) => head.seq));
  }

  captions(stream: string, query: CaptionQuery): Caption[] {
    const { after_seq = 0, from_ms = -Infinity, to_ms = Infinity, text = "", limit, newest_first } = query;
    const found = this.#look(stream).captions.filter((caption) =>
      caption.seq > after_seq && caption.t_wall_ms >= from_ms && caption.t_wall_ms <= to_ms &&
      caption.text.includes(text)
    );
    return (newest_first ? found.toReversed() : found).slice(0, limit).map((caption) => ({ ...caption }));
  }

  commitTick(stream: string, record: TickRecord, caption: Caption | undefined): void {
    this.onOperation?.("commit begins");
    this.#needRoom(`commit tick ${record.tick}`);
    if (this.commit_errors_left > 0) {
      this.commit_errors_left--;
      throw this.commit_error ?? new GanderError("store_failed", "Cannot commit: a fault", "backoff");
    }
    const shelf = this.#shelf(stream);
    const refuse = (reason: string) =>
      new GanderError("store_failed", `Cannot commit tick ${record.tick}: ${reason}`);
    if (record.tick <= shelf.last_tick) throw refuse(`tick ${shelf.last_tick} is committed already`);
    if (caption && caption.seq !== this.lastSeq(stream) + 1) throw refuse(`number ${caption.seq} is wrong`);
    const kept = structuredClone(record);
    shelf.ticks.push(kept);
    this.history.push(kept);
    shelf.last_tick = record.tick;
    if (caption) {
      shelf.captions.push({ ...caption });
      shelf.last_seq = caption.seq;
    }
    this.onOperation?.("commit ends");
  }

  ticksAfter(stream: string, tick: number): TickRecord[] {
    return structuredClone(this.#look(stream).ticks.filter((record) => record.tick > tick));
  }

  trimTicks(stream: string, tick: number): void {
    const shelf = this.#shelf(stream);
    shelf.ticks = shelf.ticks.filter((record) => record.tick > tick);
    this.onOperation?.("trim ends");
  }

  writeSnapshot(head: SnapshotHead, blob: Uint8Array<ArrayBuffer>): Promise<void> {
    this.onOperation?.("snapshot begins");
    const kept = { head: structuredClone(head), blob: blob.slice(), damaged: false };
    return this.#inOrder(head.stream, async () => {
      await this.#pass(this.write_ms);
      this.#needRoom(`write snapshot ${head.tick}`);
      this.#shelf(head.stream).snapshots.set(head.tick, kept);
      this.onOperation?.("snapshot ends");
    });
  }

  listSnapshots(stream: string): SnapshotHead[] {
    const heads = [...this.#look(stream).snapshots.values()].map(({ head }) => ({ ...head }));
    return heads.sort((a, b) => b.tick - a.tick);
  }

  readSnapshot(stream: string, tick: number): Promise<{ head: SnapshotHead; blob: Uint8Array } | undefined> {
    return this.#inOrder(stream, async () => {
      await this.#pass(this.read_ms);
      const { snapshots } = this.#look(stream);
      const kept = snapshots.get(tick);
      if (kept?.damaged) snapshots.delete(tick);
      if (!kept || kept.damaged) return undefined;
      return { head: structuredClone(kept.head), blob: kept.blob.slice() };
    });
  }

  deleteSnapshot(stream: string, tick: number): void {
    this.#shelf(stream).snapshots.delete(tick);
  }

  saveAnswer(answer: AnswerRecord): void {
    this.#needRoom(`save answer "${answer.id}"`);
    this.#shelf(answer.stream).answers.push({ ...answer });
  }

  answers(stream: string, limit: number): AnswerRecord[] {
    return this.#look(stream).answers.toReversed().slice(0, limit);
  }

  loadStreams(): StoredStream[] {
    return structuredClone([...this.#streams.values()]);
  }

  saveStream(stream: StoredStream): void {
    this.#needRoom(`save stream "${stream.id}"`);
    this.#streams.set(stream.id, structuredClone(stream));
  }

  /** Takes its time, as the one on disk does. */
  deleteStream(id: string): Promise<void> {
    return this.#inOrder(id, async () => {
      await this.#pass(this.write_ms);
      this.#shelves.delete(id);
      this.#streams.delete(id);
    });
  }

  /** Names with anything on the shelf: what a removed stream must not leave behind. */
  names(): string[] {
    return [...this.#shelves.keys()];
  }

  /** For reading: asking about a stream does not bring it into being. */
  #look(stream: string): Shelf {
    return this.#shelves.get(stream) ?? emptyShelf();
  }

  /** For writing. */
  #shelf(stream: string): Shelf {
    const shelf = this.#look(stream);
    this.#shelves.set(stream, shelf);
    return shelf;
  }

  async #pass(duration_ms: number): Promise<void> {
    if (duration_ms > 0) await this.#clock?.sleep(duration_ms);
  }

  /** Writes and reads of one stream keep their order. */
  #inOrder<T>(stream: string, job: () => Promise<T>): Promise<T> {
    const turn = (this.#jobs.get(stream) ?? Promise.resolve()).then(job);
    this.#jobs.set(stream, turn.catch(() => {}));
    return turn;
  }

  #needRoom(action: string): void {
    if (this.disk_full) throw new GanderError("disk_full", `Cannot ${action}: the disk is full`, "backoff");
  }
}
