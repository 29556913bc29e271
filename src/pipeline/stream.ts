// One stream: a source, a mailbox of one, a narrator, and the loop between them. Everything that happens leaves as
// events. Must not know: other streams, sockets, SQL, ffmpeg, what a caption is made of.
import type { Clock } from "../clock.ts";
import type { Counters } from "./counters.ts";
import { Mailbox } from "./mailbox.ts";
import type { Narrator } from "./narrator.ts";
import type { Frame, FrameFit, FrameSource, SourceStatus } from "./ports.ts";
import type { StreamEvent } from "./surface.ts";

export interface StreamSettings {
  id: string;
  tick_rate_hz: number;
  pace: "live" | "lossless";
  /** The source plays the same frames again from any media time: a restart goes on where it was. */
  replayable: boolean;
  /** Pixels the vision wants. */
  width_px: number;
  height_px: number;
  fit?: FrameFit;
}

export interface StreamDeps {
  narrator: Narrator;
  counters: Counters;
  clock: Clock;
  emit(event: StreamEvent): void;
}

export class Stream {
  readonly settings: StreamSettings;
  status: SourceStatus = "connecting";
  reason = "";
  since_ms: number;
  picture: { jpeg: Uint8Array; t_media_ms: number; t_wall_ms: number } | undefined;

  readonly #deps: StreamDeps;
  /** What the source said last; shown unless captions are held. */
  #told: { status: SourceStatus; reason: string } = { status: "connecting", reason: "" };
  #held: string | undefined;
  /**
   * Added to the source's clock: a live source begins at 0 whenever it is opened, the stream does not. Unknown until
   * the first frame comes, because that is when such a clock begins.
   */
  #offset_ms: number | undefined;
  /** Added to tick numbers since a change of the tick rate: they go on, whatever the rate. */
  #tick_shift = 0;
  /** Tick of the newest frame that arrived, fed or not. */
  #arrived_tick = 0;

  constructor(settings: StreamSettings, deps: StreamDeps) {
    this.settings = settings;
    this.#deps = deps;
    this.since_ms = deps.clock.now_ms();
  }

  /**
   * Runs the source through the narrator until the source ended, was denied, or the signal aborts. Rejects when a
   * tick failed (engine, vision, store); run again and the memory comes back from disk as it was before that tick.
   */
  async run(source: FrameSource, signal: AbortSignal): Promise<void> {
    const { narrator, counters } = this.#deps;
    const { width_px, height_px, fit, tick_rate_hz: rate_hz, pace } = this.settings;
    await narrator.resume();
    const start_at_ms = this.#beginClock();
    const mailbox = new Mailbox<Frame>();
    const failed = new AbortController();
    let failure: unknown;
    let last: { status: SourceStatus; reason: string } | undefined;
    const step = async (frame: Frame) => {
      if (failed.signal.aborted) return void counters.failed++;
      try {
        await this.#step(frame, signal);
      } catch (error) {
        counters.failed++;
        failure = error;
        failed.abort();
      }
    };
    const narrate = async () => {
      for (let frame = await mailbox.take(); frame; frame = await mailbox.take()) await step(frame);
    };
    let narration = pace === "live" ? narrate() : Promise.resolve();
    try {
      await source.run(
        { width_px, height_px, fit, rate_hz, pace, start_at_ms },
        {
          onFrame: (frame) => {
            this.#noteArrival(frame);
            // A source that does not wait for its frame, or is aborted while it waits, must not run two ticks at once.
            if (pace === "lossless") return narration = narration.then(() => step(frame));
            if (!mailbox.put(frame)) counters.mailbox++;
          },
          onPreview: (jpeg) => this.#show(jpeg),
          onStatus: (status, reason) => {
            // "ended" is told when the last frame has become a caption, not before.
            if (status === "ended" || status === "denied") last = { status, reason };
            else this.setStatus(status, reason);
          },
        },
        AbortSignal.any([signal, failed.signal]),
      );
    } finally {
      mailbox.close();
      await narration;
      await narrator.settled();
    }
    if (failed.signal.aborted) throw failure;
    if (last && !signal.aborted) this.setStatus(last.status, last.reason);
  }

  setStatus(status: SourceStatus, reason: string): void {
    this.#told = { status, reason };
    this.#tellStatus();
  }

  #tellStatus(): void {
    const { status, reason } = this.#held === undefined
      ? this.#told
      : { status: "stalled" as const, reason: `captions wait: ${this.#held}` };
    if (status === this.status && reason === this.reason) return;
    this.status = status;
    this.reason = reason;
    this.since_ms = this.#deps.clock.now_ms();
    this.#deps.emit({
      type: "stream.status",
      stream: this.settings.id,
      status,
      reason,
      since_ms: this.since_ms,
    });
  }

  async #step(frame: Frame, signal: AbortSignal): Promise<void> {
    const { narrator, emit } = this.#deps;
    const stream = this.settings.id;
    const tick = this.#tickOf(frame);
    const t_media_ms = this.#offset_ms! + frame.t_media_ms;
    let shown = false;
    const show = (text: string) => {
      shown = text !== "";
      emit({ type: "caption.delta", stream, tick, t_media_ms, text });
    };
    try {
      const caption = await narrator.step(
        { ...frame, tick, t_media_ms, t_wall_ms: frame.arrived_at_ms },
        {
          onText: show,
          onHeld: (reason) => {
            this.#held = reason;
            this.#tellStatus();
          },
        },
        signal,
      );
      shown &&= caption === undefined;
      if (caption) emit({ type: "caption.final", caption });
    } finally {
      // Words that were shown growing and became no caption (a repeat, a failed tick) are withdrawn.
      if (shown) show("");
      this.#held = undefined;
    }
  }

  /** Where the source is to begin, on its own clock. */
  #beginClock(): number {
    const { tick_rate_hz, replayable } = this.settings;
    const { tick, t_media_ms } = this.#deps.narrator.position;
    this.#tick_shift = tick === 0 ? 0 : tick - this.#tickAt(t_media_ms, 0);
    this.#offset_ms = replayable || tick === 0 ? 0 : undefined;
    // The media time of the next tick as a recording counts it: sums of tick lengths would miss a frame by a rounding.
    return replayable ? ((tick - this.#tick_shift) * 1000) / tick_rate_hz : 0;
  }

  /** Tick 1 is the frame at media time 0, unless the tick rate was changed since. */
  #tickAt(t_media_ms: number, shift: number): number {
    return Math.round((t_media_ms * this.settings.tick_rate_hz) / 1000) + 1 + shift;
  }

  #tickOf(frame: Frame): number {
    return this.#tickAt(this.#offset_ms! + frame.t_media_ms, this.#tick_shift);
  }

  /** The time that passed since the last tick, by the wall clock, is time of the stream too. */
  #offsetFrom(frame: Frame): number {
    const { t_media_ms, t_wall_ms } = this.#deps.narrator.position;
    const passed_ms = Math.max(1000 / this.settings.tick_rate_hz, frame.arrived_at_ms - t_wall_ms);
    return t_media_ms + passed_ms - frame.t_media_ms;
  }

  #noteArrival(frame: Frame): void {
    const { counters } = this.#deps;
    this.#offset_ms ??= this.#offsetFrom(frame);
    const tick = this.#tickOf(frame);
    counters.frames_offered++;
    if (this.#arrived_tick > 0) counters.empty += Math.max(0, tick - this.#arrived_tick - 1);
    this.#arrived_tick = Math.max(this.#arrived_tick, tick);
  }

  #show(jpeg: Uint8Array): void {
    const { t_media_ms } = this.#deps.narrator.position;
    this.picture = { jpeg, t_media_ms, t_wall_ms: this.#deps.clock.now_ms() };
    this.#deps.emit({ type: "picture", stream: this.settings.id, t_media_ms, jpeg });
  }
}
