// One stream as the service keeps it: its settings, its stream and narrator, and the supervision that starts the
// source again when a tick failed. Must not know: other streams, HTTP.
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { Counters } from "./counters.ts";
import { limits } from "./limits.ts";
import { Memory } from "./memory.ts";
import { Narrator } from "./narrator.ts";
import type {
  Engine,
  FrameSource,
  Language,
  PushFrameSource,
  SourceFactory,
  Store,
  StoredStream,
  Vision,
} from "./ports.ts";
import type { Pump } from "./pump.ts";
import { Stream } from "./stream.ts";
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

  constructor(stored: StoredStream, deps: PipelineDeps, emit: (event: StreamEvent) => void) {
    this.id = stored.id;
    this.request = stored.spec as StreamRequest;
    this.paused = stored.paused;
    this.created_ms = stored.created_ms;
    this.#deps = deps;
    this.#emit = emit;
  }

  get counters(): Counters {
    return this.#counters;
  }

  get stream(): Stream {
    return this.#stream!;
  }

  get narrator(): Narrator {
    return this.#narrator!;
  }

  get source(): FrameSource | PushFrameSource {
    return this.#source!;
  }

  /** Takes a state, brings the memory back and, unless paused, starts the source. Rejects with NativeError full. */
  async open(): Promise<void> {
    const { engine, language, pump, store, vision, clock, log, sources } = this.#deps;
    const settled = this.#settle();
    const memory = new Memory(engine.open(), language, pump);
    const counters = this.#counters;
    this.#narrator = new Narrator(this.id, settled, {
      memory,
      engine: engine.info,
      vision,
      store,
      clock,
      log,
      counters,
    });
    const { source } = this.request;
    this.#source = source.kind === "push" ? sources.openPush() : sources.openPull(source);
    const looped = source.kind === "pull" && source.loop === true;
    this.#stream = new Stream(
      {
        id: this.id,
        tick_rate_hz: settled.tick_rate_hz,
        pace: settled.pace,
        replayable: this.#source.replayable && !looped,
        width_px: vision.width_px,
        height_px: vision.height_px,
      },
      { narrator: this.#narrator, counters, clock, emit: this.#emit },
    );
    await this.#narrator.resume().catch((error) =>
      log.error("memory not restored", { stream: this.id, error })
    );
    if (this.paused) this.stream.setStatus("ended", "paused");
    else this.play();
  }

  play(): void {
    if (this.#playing) return;
    const stop = new AbortController();
    this.stream.setStatus("connecting", "opening the source");
    this.#playing = { stop, ended: this.#supervise(stop.signal) };
  }

  /** Stops the source after the tick under way. Questions can still be asked. */
  async halt(): Promise<void> {
    const playing = this.#playing;
    this.#playing = undefined;
    playing?.stop.abort();
    await playing?.ended;
  }

  async close(): Promise<void> {
    await this.halt();
    await this.#narrator?.close();
    this.#narrator = this.#stream = undefined;
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
        speak_threshold,
        caption_age_p50_ms: counters.caption_age_ms.percentile(0.5),
        caption_age_p95_ms: counters.caption_age_ms.percentile(0.95),
        step_p50_ms: counters.step_ms.percentile(0.5),
        step_p95_ms: counters.step_ms.percentile(0.95),
        state_bytes: engine.info.state_bytes,
        memory_age_ms: this.#narrator?.position.t_media_ms ?? 0,
        snapshots: store.listSnapshots(this.id).length,
        questions_active: counters.questions_active,
        viewers: counters.viewers,
        drops: counters.drops(stream?.dropped_count ?? 0),
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

  /** A failed tick must not end a stream: the memory comes back from disk and the source is opened again. */
  async #supervise(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await this.stream.run(this.source, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        log.error("tick failed", { stream: this.id, error });
        this.stream.setStatus(
          "reconnecting",
          `a tick failed and is tried again: ${(error as Error).message}`,
        );
        const wait_ms = Math.min(limits.restart_ms_max, limits.restart_ms_min * 2 ** Math.min(failures, 10));
        await clock.sleep(wait_ms, signal);
      }
    }
  }
}
