// One stream as the service keeps it: its settings, its stream and narrator while it is open, and the order in which
// it is opened, paused, changed and closed. Must not know: other streams, HTTP.
import type { SnapshotNumbers } from "./memory.ts";
import type { Clock } from "../clock.ts";
import { GanderError } from "../errors.ts";
import type { Log } from "../log.ts";
import { Counters } from "./counters.ts";
import { Edge } from "./edge.ts";
import { Narrator, type Position } from "./narrator.ts";
import type {
  Engine,
  FrameFit,
  FrameSource,
  Language,
  PictureDecoder,
  PictureLanguage,
  PushFrameSource,
  SnapshotHead,
  SourceFactory,
  Store,
  StoredStream,
  Vision,
} from "./ports.ts";
import { openNarration, type Policy, settleRefresh } from "./policy.ts";
import type { Pump } from "./pump.ts";
import { Stream } from "./stream.ts";
import { supervise } from "./supervise.ts";
import type { Gates, StreamEvent, StreamRequest, StreamView } from "./surface.ts";

export interface PipelineDeps {
  engine: Engine;
  pump: Pump;
  vision: Vision;
  language: Language;
  store: Store;
  sources: SourceFactory;
  clock: Clock;
  log: Log;
  /** Ticks per second the bundle was made for. */
  tick_rate_hz: number;
  policy: Policy;
  /** What is missing is "fp32". */
  snapshot_numbers?: SnapshotNumbers;
  /** How a picture of another shape becomes a frame; what is missing is "stretch". */
  fit?: FrameFit;
  /** Chats with the model itself, about pictures; without it there are none. */
  chat?: { pictures: PictureLanguage; decoder: PictureDecoder };
}

/** The settings in force: the request, completed by the bundle's defaults. */
interface Settled {
  tick_rate_hz: number;
  pace: "live" | "lossless";
  gates: Gates;
  speak_threshold: number;
}

export class Entry {
  readonly id: string;
  request: StreamRequest;
  paused: boolean;
  readonly created_ms: number;
  readonly #deps: PipelineDeps;
  readonly #emit: (event: StreamEvent) => void;
  readonly #counters = new Counters();
  #narrator: Narrator | undefined;
  #stream: Stream | undefined;
  #source: FrameSource | PushFrameSource | undefined;
  #playing: { stop: AbortController; ended: Promise<void> } | undefined;
  /** Entered while there is no narrator: whoever wants its memory waits while a stream is opened anew. */
  readonly #door = new Edge();
  readonly #gone = new AbortController();
  readonly #questions = new Set<Promise<unknown>>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(stored: StoredStream, deps: PipelineDeps, emit: (event: StreamEvent) => void) {
    this.id = stored.id;
    this.request = stored.spec as StreamRequest;
    this.paused = stored.paused;
    this.created_ms = stored.created_ms;
    this.#deps = deps;
    this.#emit = emit;
    this.#door.enter();
  }

  get counters(): Counters {
    return this.#counters;
  }

  /** Aborts when the stream is closed for good. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get source(): FrameSource | PushFrameSource {
    return this.#need(this.#source);
  }

  /** Where the memory stands, as far as is known. */
  get position(): Position {
    return this.#narrator?.position ?? { tick: 0, t_media_ms: 0, t_wall_ms: 0 };
  }

  get picture(): Stream["picture"] {
    return this.#stream?.picture;
  }

  /** Opening, pausing, changing and removing one stream never overlap: each begins when those before have ended. */
  inTurn<T>(job: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(job);
    this.#turn = turn.catch(() => {}); // Whoever asked for it hears of it.
    return turn;
  }

  /** Runs a question, so that closing for good can wait for it. */
  async track<T>(question: Promise<T>): Promise<T> {
    this.#questions.add(question);
    try {
      return await question;
    } finally {
      this.#questions.delete(question);
    }
  }

  /** Who owns the memory; waits while the stream is being opened anew. Rejects when the signal aborts first. */
  narrator(signal?: AbortSignal): Promise<Narrator> {
    return this.#door.run(() => this.#need(this.#narrator), signal);
  }

  async takeSnapshot(): Promise<SnapshotHead> {
    return await (await this.narrator()).takeSnapshot();
  }

  /**
   * Takes a state, brings the memory back and, with `play` and unless paused, starts the source. Rejects with
   * NativeError full.
   */
  async open(play = true): Promise<void> {
    try {
      this.#build();
    } finally {
      this.#door.leave();
    }
    await this.#restore();
    if (this.paused) this.#stream!.setStatus("ended", "paused");
    else if (play) this.#play();
  }

  async pause(): Promise<void> {
    this.paused = true;
    await this.#halt();
    // A tick that was cut off half way is undone now, so that questions can be asked.
    await this.#restore();
    this.#stream?.setStatus("ended", "paused");
  }

  async resume(): Promise<void> {
    this.paused = false;
    await this.#halt();
    if (this.#stream) this.#play();
    else await this.open();
  }

  /** Gives the state back. Questions wait for the next `open`. */
  async close(): Promise<void> {
    await this.#halt();
    const narrator = this.#narrator;
    if (!narrator) return;
    this.#door.enter();
    await narrator.close();
    this.#narrator = this.#stream = this.#source = undefined;
  }

  /** Closes for good: questions are cancelled, and have given their states back when it resolves. */
  async end(): Promise<void> {
    this.#gone.abort();
    await this.close();
    this.#door.leave();
    await Promise.allSettled(this.#questions);
  }

  #build(): void {
    const { engine, store, vision, clock, log, sources, fit } = this.#deps;
    const { source } = this.request;
    const frames = source.kind === "push" ? sources.openPush() : sources.openPull(source);
    const settled = this.#settle();
    const counters = this.#counters;
    this.#narrator = new Narrator(this.id, settled.speak_threshold, {
      ...openNarration(settled.gates, this.request.refresh, this.#deps),
      engine: engine.info,
      store,
      clock,
      log,
      counters,
      tick_rate_hz: settled.tick_rate_hz,
      snapshot_numbers: this.#deps.snapshot_numbers ?? "fp32",
    });
    this.#source = frames;
    const looped = source.kind === "pull" && source.loop === true;
    this.#stream = new Stream(
      {
        id: this.id,
        tick_rate_hz: settled.tick_rate_hz,
        pace: settled.pace,
        replayable: frames.replayable && !looped,
        width_px: vision.width_px,
        height_px: vision.height_px,
        fit,
      },
      { narrator: this.#narrator, counters, clock, emit: this.#emit },
    );
  }

  /** What cannot be restored now is tried again before the next tick. */
  async #restore(): Promise<void> {
    await this.#narrator?.resume().catch((error) =>
      this.#deps.log.error("memory not restored", { stream: this.id, error })
    );
  }

  #play(): void {
    const { clock, log } = this.#deps;
    const stream = this.#need(this.#stream);
    const deps = { clock, log, counters: this.#counters, restore: () => this.#restore() };
    const stop = new AbortController();
    stream.setStatus("connecting", "opening the source");
    this.#playing = { stop, ended: supervise(stream, this.source, deps, stop.signal) };
  }

  /** Stops the source after the tick under way. Questions can still be asked. */
  async #halt(): Promise<void> {
    const playing = this.#playing;
    this.#playing = undefined;
    playing?.stop.abort();
    await playing?.ended;
  }

  view(): StreamView {
    const { store, sources, engine } = this.#deps;
    const { tick_rate_hz, pace, gates, speak_threshold } = this.#settle();
    const counters = this.#counters;
    const stream = this.#stream;
    return {
      id: this.id,
      name: this.request.name,
      source: sources.redact(this.request.source),
      tick_rate_hz,
      pace,
      gates,
      refresh: settleRefresh(this.#deps.policy, this.request.refresh),
      paused: this.paused,
      status: stream?.status ?? "connecting",
      reason: stream?.reason ?? "",
      since_ms: stream?.since_ms ?? this.created_ms,
      created_ms: this.created_ms,
      last_seq: store.lastSeq(this.id),
      stats: {
        ticks: counters.ticks,
        frames_offered: counters.frames_offered,
        frames_fed: counters.frames_fed,
        captions: counters.captions,
        p_speak: counters.p_speak,
        // Under policy "refresh" nothing is decided: whatever is rebuilt speaks.
        speak_threshold: this.#deps.policy.kind === "stream" ? speak_threshold : 0,
        caption_age_p50_ms: counters.caption_age_ms.percentile(0.5),
        caption_age_p95_ms: counters.caption_age_ms.percentile(0.95),
        step_p50_ms: counters.step_ms.percentile(0.5),
        step_p95_ms: counters.step_ms.percentile(0.95),
        state_bytes: engine.info.state_bytes,
        memory_age_ms: this.position.t_media_ms,
        snapshots: store.listSnapshots(this.id).length,
        questions_active: counters.questions_active,
        viewers: counters.viewers,
        drops: counters.drops(),
      },
    };
  }

  #settle(): Settled {
    const { tick_rate_hz, pace, gates, speak_threshold } = this.request;
    return {
      tick_rate_hz: tick_rate_hz ?? this.#deps.tick_rate_hz,
      pace: pace ?? "live",
      gates: { change: gates?.change ?? true, novelty: gates?.novelty ?? true },
      speak_threshold: speak_threshold ?? this.#deps.language.speak_threshold,
    };
  }

  #need<T>(part: T | undefined): T {
    if (part !== undefined) return part;
    throw new GanderError("not_ready", `Cannot use stream "${this.id}": it is not open`, "backoff");
  }
}
