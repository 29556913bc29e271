// When a stream's state is written down and which snapshots stay. One write under way per stream; a failure is
// counted and logged, the narration goes on: the tick journal still covers it.
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { thinSnapshots } from "./ladder.ts";
import { limits } from "./limits.ts";
import type { SnapshotHead, StreamStore } from "./ports.ts";

export class SnapshotKeeper {
  #last_media_ms = -Infinity;
  #last_wall_ms = -Infinity;
  /** Writes wait for each other: the newest asked for, and how many have not ended. */
  #newest: Promise<void> = Promise.resolve();
  #writing_count = 0;

  constructor(
    readonly stream: string,
    readonly store: StreamStore,
    readonly clock: Clock,
    readonly log: Log,
  ) {}

  /** True when the ladder's first rung asks for one and none is being written. */
  isDue(t_media_ms: number): boolean {
    return this.#writing_count === 0 &&
      t_media_ms - this.#last_media_ms >= limits.snapshot_ladder[0].every_ms &&
      this.clock.monotonic_ms() - this.#last_wall_ms >= limits.snapshot_wall_ms_min;
  }

  /** Starts the write; `settled()` says when it is on disk. */
  begin(head: SnapshotHead, blob: Uint8Array<ArrayBuffer>): void {
    this.#last_media_ms = head.t_media_ms;
    this.#last_wall_ms = this.clock.monotonic_ms();
    this.write(head, blob).catch((error) =>
      this.log.warn("snapshot not written", { stream: this.stream, tick: head.tick, error })
    );
  }

  /** Writes one after those under way and thins the ladder. Rejects with StoreError. */
  write(head: SnapshotHead, blob: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#writing_count++;
    const written = this.#newest.then(() => this.#write(head, blob)).finally(() => this.#writing_count--);
    this.#newest = written.catch(() => {}); // Whoever asked for it hears of it.
    return written;
  }

  async settled(): Promise<void> {
    while (this.#writing_count > 0) await this.#newest;
  }

  async #write(head: SnapshotHead, blob: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.store.writeSnapshot(head, blob);
    const heads = this.store.listSnapshots(this.stream);
    for (const tick of thinSnapshots(heads)) this.store.deleteSnapshot(this.stream, tick);
    const oldest_generation = heads[limits.snapshot_generations - 1];
    if (oldest_generation) this.store.trimTicks(this.stream, oldest_generation.tick);
  }
}
