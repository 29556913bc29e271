// A source that somebody else sends: messages from a socket that another room upgraded become frames. The stream
// survives its publisher: a page reload is a new session of the same source. Must not know sockets.
import { SourceError } from "./errors.ts";
import { decoderFailure } from "./ffmpeg_reason.ts";
import type { FrameRequest, FrameSource, SourceCounts, SourceEvents, SourceStatus } from "./frame.ts";
import { source_limits } from "./limits.ts";
import { PushClock } from "./push_clock.ts";
import { openPushDecoder, type PushDecoder } from "./push_decoder.ts";
import type { Checked } from "./push_intake.ts";
import {
  type PushConnection,
  type PushDrop,
  type PushSession,
  type PushVerdict,
  Session,
  type SessionOwner,
} from "./push_session.ts";
import type { PushCodec, PushMessage } from "./push_message.ts";
import { type SourceDeps, system_deps } from "./source_deps.ts";

export interface PushOptions extends Partial<SourceDeps> {
  /** What people call this source. */
  label: string;
  /** How long a stream waits for its publisher to come back. Infinity: for ever. */
  grace_ms?: number;
  /** False: a goodbye is no end, the source waits for the next publisher. Default true. */
  goodbye_ends?: boolean;
  /** Silence of a connected publisher after which the stream is `stalled`. */
  silent_ms?: number;
  /** Messages without a single picture for this long close the session. */
  first_frame_ms?: number;
}

interface Running {
  request: FrameRequest;
  events: SourceEvents;
  clock: PushClock;
  status: SourceStatus | undefined;
  decoder: { codec: PushCodec; session: Session; it: PushDecoder } | undefined;
  /** Resolves when the newest ended decoder is gone. */
  decoder_gone: Promise<void>;
  last_slot: number;
  last_frame_ms: number;
  last_preview_ms: number;
  /** Wakes the loop in `run`. */
  wake: AbortController;
  ended: boolean;
}

export class PushSource implements FrameSource, SessionOwner {
  readonly replayable = false;
  readonly counts: SourceCounts = { frames: 0, previews: 0, starts: 0, dropped: {} };
  readonly label: string;
  readonly #options: PushOptions;
  readonly #deps: SourceDeps;
  #session: Session | undefined;
  #running: Running | undefined;
  #lost_at_ms: number | undefined;

  constructor(options: PushOptions) {
    this.label = options.label;
    this.#options = options;
    this.#deps = { ...system_deps, ...options };
  }

  /** A publisher connected. One that was connected before is closed: after a reload the new page must win. */
  attach(connection: PushConnection): PushSession {
    this.#session?.close(
      new SourceError("replaced", this.label, "another publisher took over"),
    );
    const session = this.#session = new Session(this, connection);
    this.#lost_at_ms = undefined;
    if (this.#running) this.#admit(session);
    return session;
  }

  #admit(session: Session) {
    this.#running!.clock.reconnect();
    session.last_message_ms = this.#deps.clock.monotonic_ms();
    session.intake.open();
    this.#running!.wake.abort();
  }

  drop(reason: string): PushVerdict & { taken: false; dropped: PushDrop } {
    this.counts.dropped[reason] = (this.counts.dropped[reason] ?? 0) + 1;
    return { taken: false, dropped: reason as PushDrop };
  }

  lose(session: Session, for_good: boolean) {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#lost_at_ms = this.#deps.clock.monotonic_ms();
    const running = this.#running;
    if (!running) return;
    this.#retire(running, "finish");
    if (for_good && this.#options.goodbye_ends === false) {
      this.#lost_at_ms = undefined;
      this.#report(running, "connecting", "waiting for a publisher");
    } else if (for_good) running.ended = true;
    running.wake.abort();
  }

  #retire(running: Running, how: "finish" | "stop") {
    const old = running.decoder?.it;
    running.decoder = undefined;
    if (old) running.decoder_gone = Promise.all([running.decoder_gone, old[how]()]).then(() => {});
  }

  take(session: Session, checked: Checked): PushVerdict {
    if ("error" in checked) {
      this.#break(session, checked.error);
      return { taken: false, error: checked.error };
    }
    if ("dropped" in checked) return this.drop(checked.dropped);
    const running = this.#running;
    if (!running) return this.drop("not_running");
    const now_ms = this.#deps.clock.monotonic_ms();
    session.last_message_ms = now_ms;
    session.starving_since_ms ??= now_ms;
    if (running.status === "stalled") running.wake.abort();
    this.#feed(running, session, checked, running.clock.map(checked.t_media_us, now_ms));
    return { taken: true };
  }

  /** The session's own fault, or its bytes': it ends, the stream waits for a better one. */
  #break(session: Session, error: SourceError) {
    session.close(error);
    this.lose(session, false);
  }

  #feed(running: Running, session: Session, { codec, payload }: PushMessage, t_media_ms: number) {
    if (running.decoder?.codec !== codec || running.decoder.session !== session) {
      this.#retire(running, "stop");
      const it = openPushDecoder(codec, this.#decoderOptions(running, session), running.decoder_gone);
      running.decoder = { codec, session, it };
    }
    const decoder = running.decoder!.it;
    const consumed = () => session.intake.consumed(decoder.backlog_bytes);
    if (codec !== "jpeg") return decoder.put(payload, t_media_ms, consumed);
    this.#preview(running, payload);
    // Thirty pictures a second arrive, two are looked at: only those are decoded.
    const slot = Math.floor(t_media_ms * running.request.rate_hz / 1_000);
    if (slot <= running.last_slot) return consumed();
    running.last_slot = slot;
    decoder.put(payload, t_media_ms, consumed);
  }

  #preview(running: Running, jpeg: Uint8Array) {
    const now_ms = this.#deps.clock.monotonic_ms();
    if (now_ms - running.last_preview_ms < 950 / source_limits.preview_rate_hz) return;
    running.last_preview_ms = now_ms;
    this.counts.previews++;
    running.events.onPreview(jpeg);
  }

  #decoderOptions(running: Running, session: Session) {
    const { request } = running;
    return {
      request,
      deps: this.#deps,
      onStart: () => void this.counts.starts++,
      onLost: (reason: string) => void this.drop(reason),
      onPreview: (jpeg: Uint8Array) => {
        this.counts.previews++;
        running.events.onPreview(jpeg);
      },
      onFrame: (rgb: Uint8Array, t_media_ms?: number) => this.#deliver(running, session, rgb, t_media_ms),
      onFailure: (stderr: string) => {
        if (this.#session === session) {
          this.#break(session, decoderFailure({ label: this.label, stderr, finite: true }));
        }
      },
    };
  }

  #deliver(running: Running, session: Session, rgb: Uint8Array, t_media_ms?: number) {
    if (this.#running !== running) return;
    session.starving_since_ms = undefined;
    const { clock, log } = this.#deps;
    if (this.#session === session) this.#report(running, "live", `pictures from ${this.label}`);
    const { width_px, height_px } = running.request;
    const wanted_ms = t_media_ms ?? Math.round(running.clock.at(clock.monotonic_ms()));
    running.last_frame_ms = Math.max(wanted_ms, running.last_frame_ms + 1);
    this.counts.frames++;
    const frame = {
      rgb,
      width_px,
      height_px,
      t_media_ms: running.last_frame_ms,
      arrived_at_ms: clock.now_ms(),
    };
    running.events.onFrame(frame)?.catch((error) => {
      log("warn", "a frame's consumer failed", { error: String(error) });
    });
  }

  #report(running: Running, status: SourceStatus, reason: string) {
    if (running.status === status) return;
    running.status = status;
    this.#deps.log(status === "live" ? "info" : "debug", `source ${status}`, { source: this.label, reason });
    running.events.onStatus(status, reason);
  }

  async run(request: FrameRequest, events: SourceEvents, signal: AbortSignal): Promise<void> {
    if (this.#running) throw new TypeError("a source runs once at a time");
    const running: Running = this.#running = {
      ...{ request, events, status: undefined, decoder: undefined, decoder_gone: Promise.resolve() },
      clock: new PushClock(request.start_at_ms),
      ...{ last_slot: -Infinity, last_frame_ms: request.start_at_ms - 1, last_preview_ms: -Infinity },
      ...{ wake: new AbortController(), ended: false },
    };
    this.#report(running, "connecting", "waiting for a publisher");
    if (this.#session) this.#admit(this.#session);
    this.#lost_at_ms = undefined;
    const onAbort = () => running.wake.abort();
    signal.addEventListener("abort", onAbort);
    while (!signal.aborted && !running.ended) {
      running.wake = new AbortController();
      const wait_ms = this.#look(running);
      if (!running.ended) await this.#deps.clock.sleep(Math.min(wait_ms, 1e9), running.wake.signal);
    }
    signal.removeEventListener("abort", onAbort);
    if (running.ended) this.#report(running, "ended", "the publisher is gone");
    this.#running = undefined;
    // The publisher stays: a stream that was paused or started anew goes on with it.
    this.#session?.intake.suspend();
    this.#retire(running, "stop");
    await running.decoder_gone;
  }

  /** Judges silence and absence; how long until it has to look again. */
  #look(running: Running): number {
    const now_ms = this.#deps.clock.monotonic_ms();
    const { grace_ms = source_limits.publisher_grace_ms, silent_ms = source_limits.publisher_silent_ms } =
      this.#options;
    const { first_frame_ms = source_limits.first_frame_ms_max } = this.#options;
    const session = this.#session;
    if (!session) {
      if (this.#lost_at_ms === undefined) return Infinity;
      this.#report(running, "reconnecting", "waiting for the publisher to come back");
      const left_ms = this.#lost_at_ms + grace_ms - now_ms;
      running.ended = left_ms <= 0;
      return left_ms;
    }
    const silent_in_ms = (session.last_message_ms ?? now_ms) + silent_ms - now_ms;
    if (silent_in_ms <= 0) {
      if (running.status === "live") this.#report(running, "stalled", "the publisher is silent");
      session.starving_since_ms = undefined;
      return silent_ms;
    }
    const starving_in_ms = (session.starving_since_ms ?? now_ms) + first_frame_ms - now_ms;
    if (starving_in_ms > 0) return Math.min(silent_in_ms, starving_in_ms);
    this.#break(session, new SourceError("format", this.label, "nothing that was sent could be decoded"));
    return 0;
  }
}
