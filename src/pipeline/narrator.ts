// From a frame to a written-down tick and, sometimes, a caption: gates, memory, journal, snapshots. The only owner of
// a stream's memory and of its place in time. Must not know: sources, mailboxes, viewers.
import type { Clock } from "../clock.ts";
import { GanderError } from "../errors.ts";
import type { Log } from "../log.ts";
import { makeThumbnail } from "./change_gate.ts";
import type { Counters } from "./counters.ts";
import { Edge } from "./edge.ts";
import { FrameBefore } from "./frame_before.ts";
import { limits } from "./limits.ts";
import type { Memory, SnapshotNumbers, TickOutcome } from "./memory.ts";
import type { Narration } from "./policy.ts";
import type { Caption, EngineInfo, EngineState, SnapshotHead, StreamStore, TickRecord } from "./ports.ts";
import { resumeMemory } from "./resume.ts";
import { SnapshotKeeper } from "./snapshots.ts";
import { untilAbort } from "./until_abort.ts";

/** Where a memory stands. Tick 0 is before the first frame. */
export interface Position {
  tick: number;
  t_media_ms: number;
  t_wall_ms: number;
}

export interface NarratorDeps extends Narration {
  engine: EngineInfo;
  store: StreamStore;
  clock: Clock;
  log: Log;
  counters: Counters;
  tick_rate_hz: number;
  snapshot_numbers: SnapshotNumbers;
}

/** A frame on the stream's own clock. */
export interface TickFrame extends Position {
  rgb: Uint8Array;
  width_px: number;
  height_px: number;
}

export interface TickEvents {
  onText(text: string): void;
  /** Captions cannot be written (`reason`), or can again (undefined). */
  onHeld(reason: string | undefined): void;
}

const blank = new Uint8Array(limits.thumbnail_side_px ** 2);

export class Narrator {
  readonly stream: string;
  readonly #deps: NarratorDeps;
  readonly #speak_threshold: number;
  readonly #snapshots: SnapshotKeeper;
  /** Entered while a tick changes the memory and while it is not whole: a copy waits, it is never of half a tick. */
  readonly #edge = new Edge();
  readonly #before: FrameBefore;
  #at: Position = { tick: 0, t_media_ms: 0, t_wall_ms: 0 };
  /** What the gate remembered at `#at`. */
  #thumbnail: Uint8Array = blank;
  /** False before the first resume and after a tick that failed half way: what is on disk is the truth then. */
  #whole = false;
  #closed = false;
  #taking: Promise<unknown> = Promise.resolve();

  constructor(stream: string, speak_threshold: number, deps: NarratorDeps) {
    this.stream = stream;
    this.#deps = deps;
    this.#speak_threshold = speak_threshold;
    this.#snapshots = new SnapshotKeeper(stream, deps.store, deps.clock, deps.log);
    this.#before = new FrameBefore(deps.tick_rate_hz);
    this.#edge.enter();
  }

  get position(): Position {
    return this.#at;
  }

  /** Brings the memory back from disk. Does nothing while the memory is whole. */
  async resume(): Promise<void> {
    if (this.#whole) return;
    const { memory, store, engine, log, clock } = this.#deps;
    const { tick, t_media_ms, t_wall_ms, ...resumed } = await resumeMemory(
      this.stream,
      memory,
      store,
      engine.model_hash,
      log,
    );
    this.#at = { tick, t_media_ms, t_wall_ms: t_wall_ms || clock.now_ms() };
    this.#thumbnail = resumed.thumbnail ?? blank;
    this.#before.forget();
    this.#restoreGates();
    log[resumed.how === "lost" ? "warn" : "info"]("memory ready", {
      stream: this.stream,
      tick,
      reason: resumed.reason,
    });
    // A base on disk before the first tick: the journal always has a snapshot to stand on.
    if (resumed.how !== "restored") {
      await this.#snapshots.write(this.#head(), memory.exportBlob(this.#deps.snapshot_numbers));
    }
    this.#whole = true;
    this.#edge.leave();
  }

  /**
   * One tick: returns the caption it made, already written down. Rejects when the engine, the vision or the store
   * failed for good; `resume` brings the memory back as it was before, and copies wait until then. The signal ends a
   * tick that is built aside, and waiting for a full disk.
   */
  async step(frame: TickFrame, events: TickEvents, signal: AbortSignal): Promise<Caption | undefined> {
    const { clock, memory, gate, encode, counters } = this.#deps;
    const { tick, t_media_ms, t_wall_ms } = frame;
    const begun_ms = clock.monotonic_ms();
    if (tick <= this.#at.tick) return void counters.same_tick++;
    // Of every frame, fed or not: what moves is seen against the newest, not against the newest that was fed.
    const before = this.#before.exchange(frame);
    const seen = makeThumbnail(frame.rgb, frame.width_px, frame.height_px);
    if (!gate.admit(seen, t_media_ms)) return void counters.still++;
    const thumbnail = gate.memory;
    if (!memory.builds_aside) this.#edge.enter();
    try {
      const cut = memory.builds_aside ? signal : undefined;
      const outcome = await memory.tick({
        stream: this.stream,
        tick,
        t_media_ms,
        vectors: await untilAbort(encode(frame, before), cut),
        speak_threshold: this.#speak_threshold,
        said: () => this.#newest(limits.summary_captions).map(({ text }) => text),
        onText: events.onText,
        signal: cut,
      });
      const caption = this.#captionOf(outcome, { tick, t_media_ms, t_wall_ms });
      const { tokens, prompt, vectors } = outcome;
      await this.#commit(
        { tick, t_media_ms, t_wall_ms, vectors, tokens, prompt, thumbnail },
        caption,
        events,
        signal,
      );
      counters.noteTick(outcome.p_speak, clock.monotonic_ms() - begun_ms);
      if (caption) counters.noteCaption(caption.caption_age_ms);
      if (this.#snapshots.isDue(t_media_ms)) this.#beginSnapshot();
      this.#edge.leave();
      return caption;
    } catch (error) {
      // What is built aside is forgotten. What was changed on the way has to come back from disk.
      if (memory.builds_aside) this.#restoreGates();
      else this.#whole = false;
      throw error;
    }
  }

  /** A copy of the memory at the next tick edge, with the moment it is true of. Waits while the memory is not whole. */
  fork(signal?: AbortSignal): Promise<{ state: EngineState; at: Position }> {
    return this.#edge.run(() => ({ state: this.#open().fork(), at: this.#at }), signal);
  }

  /** Writes a snapshot now, at the next tick edge. One at a time: each holds a copy. Rejects with StoreError. */
  takeSnapshot(): Promise<SnapshotHead> {
    const taken = this.#taking.then(async () => {
      const { head, blob } = await this.#edge.run(() => ({
        head: this.#head(),
        blob: this.#open().exportBlob(this.#deps.snapshot_numbers),
      }));
      await this.#snapshots.write(head, blob);
      return head;
    });
    this.#taking = taken.catch(() => {}); // Whoever asked for it hears of it.
    return taken;
  }

  /** Resolves when no snapshot is being written. */
  settled(): Promise<void> {
    return this.#snapshots.settled();
  }

  /** Last snapshot, then the state goes back to the engine. No step may be under way. */
  async close(): Promise<void> {
    if (this.#whole && this.#deps.counters.ticks > 0) {
      await this.takeSnapshot().catch((error) =>
        this.#deps.log.warn("last snapshot not written", { stream: this.stream, error })
      );
    }
    this.#closed = true;
    this.#edge.leave();
    await this.#taking;
    await this.#snapshots.settled();
    this.#deps.memory.close();
  }

  #open(): Memory {
    if (!this.#closed) return this.#deps.memory;
    throw new GanderError(
      "not_ready",
      `Cannot copy the memory of "${this.stream}": it was closed`,
      "backoff",
    );
  }

  /** The tick is written down already: a copy that cannot be made must not undo it. */
  #beginSnapshot(): void {
    try {
      this.#snapshots.begin(this.#head(), this.#deps.memory.exportBlob(this.#deps.snapshot_numbers));
    } catch (error) {
      this.#deps.log.warn("snapshot not taken", { stream: this.stream, error });
    }
  }

  /** The caption of a tick that spoke and said something new, with the next number. */
  #captionOf(outcome: TickOutcome, at: Position): Caption | undefined {
    if (outcome.tokens.length === 0) return undefined;
    const { novelty, counters } = this.#deps;
    if (!novelty.admit(outcome.text, at.t_media_ms)) return void counters.novelty++;
    return {
      stream: this.stream,
      seq: this.#deps.store.lastSeq(this.stream) + 1,
      ...at,
      text: outcome.text,
      // A model that is told to speak has no choice.
      p_speak: outcome.p_speak ?? 1,
      caption_age_ms: Math.max(0, this.#deps.clock.now_ms() - at.t_wall_ms),
    };
  }

  /** Nothing is shown that is not written down: a full disk holds the narration, it loses nothing. */
  async #commit(
    record: TickRecord,
    caption: Caption | undefined,
    events: TickEvents,
    signal: AbortSignal,
  ): Promise<void> {
    const { store, clock, log, memory } = this.#deps;
    for (let attempt = 1;; attempt++) {
      try {
        store.commitTick(this.stream, record, caption);
        // In one breath: no copy is of a tick that the log does not have, or the other way round.
        memory.keep();
        const { tick, t_media_ms, t_wall_ms } = record;
        this.#at = { tick, t_media_ms, t_wall_ms };
        this.#thumbnail = record.thumbnail;
        if (attempt > 1) events.onHeld(undefined);
        return;
      } catch (error) {
        if ((error as { retry?: string }).retry !== "backoff" || signal.aborted) throw error;
        if (attempt === 1) log.error("tick not written, narration waits", { stream: this.stream, error });
        events.onHeld((error as Error).message);
        await clock.sleep(limits.commit_retry_ms, signal);
      }
    }
  }

  /** As of the newest tick that was written down. */
  #restoreGates(): void {
    const { tick, t_media_ms } = this.#at;
    const { gate, novelty } = this.#deps;
    // Before the first tick nothing was fed that a frame could resemble.
    const seen = tick > 0 && this.#thumbnail !== blank;
    gate.restore(seen ? this.#thumbnail : undefined, t_media_ms);
    novelty.restore(this.#newest(limits.novelty_captions));
  }

  /** Newest captions, oldest first. */
  #newest(limit: number): Caption[] {
    return this.#deps.store.captions(this.stream, { limit, newest_first: true }).toReversed();
  }

  #head(): SnapshotHead {
    return {
      stream: this.stream,
      ...this.#at,
      seq: this.#deps.store.lastSeq(this.stream),
      model_hash: this.#deps.engine.model_hash,
      thumbnail: this.#thumbnail,
    };
  }
}
