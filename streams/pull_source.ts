// A source that we open: file, HTTP, RTSP, test pattern. The status machine around one decoder at a time:
// connecting, live, stalled, reconnecting, ended, denied. Must not know how anything is opened or decoded.
import type { SourcePolicy } from "./address_policy.ts";
import { type DecodeEnd, runDecoder } from "./decode_run.ts";
import { asSourceError, SourceError } from "./errors.ts";
import { decoderFailure } from "./ffmpeg_reason.ts";
import type { FrameRequest, FrameSource, SourceCounts, SourceEvents, SourceStatus } from "./frame.ts";
import { source_limits } from "./limits.ts";
import { type OpenedInput, openInput } from "./open_input.ts";
import { PullClock } from "./pull_clock.ts";
import { Backoff } from "./retry.ts";
import type { SourceDeps } from "./source_deps.ts";
import { redactorFor, type SourceLocation } from "./source_url.ts";

export interface PullOptions {
  policy: SourcePolicy;
  deps: SourceDeps;
  /** RTSP only. UDP loses packets where TCP waits. */
  transport?: "tcp" | "udp";
  /** Files only: start again at the end, media time goes on. */
  loop?: boolean;
  /** Pictures for people. On unless false. */
  previews?: boolean;
  first_frame_ms?: number;
  stall_ms?: number;
  retry_first_ms?: number;
  retry_max_ms?: number;
}

/** What to do after one decoder ended. */
type Next = { now: "stop" } | { now: "lap" } | { now: "retry"; error: SourceError };

export class PullSource implements FrameSource {
  readonly replayable: boolean;
  readonly counts: SourceCounts = { frames: 0, previews: 0, starts: 0, dropped: {} };
  #running = false;

  constructor(readonly location: SourceLocation, readonly options: PullOptions) {
    this.replayable = location.kind === "file" || location.kind === "testsrc";
  }

  async run(request: FrameRequest, events: SourceEvents, signal: AbortSignal): Promise<void> {
    if (this.#running) throw new TypeError("a source runs once at a time");
    this.#running = true;
    try {
      await new PullRun(this, request, events, signal).go();
    } finally {
      this.#running = false;
    }
  }
}

class PullRun {
  readonly #options: PullOptions;
  readonly #deps: SourceDeps;
  readonly #backoff: Backoff;
  readonly #redact: (text: string) => string;
  readonly #clock: PullClock;
  #status: SourceStatus | undefined;
  #live_since_ms: number | undefined;
  #probe_bytes: number = source_limits.probe_bytes;
  /** Decoders in a row that died before their first picture. */
  #crashes = 0;

  constructor(
    readonly source: PullSource,
    readonly request: FrameRequest,
    readonly events: SourceEvents,
    readonly signal: AbortSignal,
  ) {
    this.#options = source.options;
    this.#deps = source.options.deps;
    const { retry_first_ms: first_ms, retry_max_ms: max_ms } = {
      ...source_limits,
      ...defined(this.#options),
    };
    this.#backoff = new Backoff({ first_ms, max_ms }, this.#deps.random);
    this.#redact = redactorFor(source.location);
    this.#clock = new PullClock(request, this.#deps.clock);
  }

  get #label(): string {
    return this.source.location.label;
  }

  #report(status: SourceStatus, reason: string) {
    this.#status = status;
    const text = this.#redact(reason);
    this.#deps.log(status === "live" ? "info" : "debug", `source ${status}`, {
      source: this.#label,
      reason: text,
    });
    this.events.onStatus(status, text);
  }

  async go() {
    const refused = requestProblem(this.request, this.source.location);
    if (refused) return this.#report("denied", new SourceError("limits", this.#label, refused).message);
    this.#report("connecting", `opening ${this.#label}`);
    while (!this.signal.aborted) {
      const next = await this.#attempt().catch((error): Next => {
        return { now: "retry", error: asSourceError(error, this.#label) };
      });
      if (this.signal.aborted || next.now === "stop") return;
      if (next.now === "lap") {
        // The last picture of a lap is due its time too; a loop of one picture would otherwise spin.
        const rest_ms = this.request.pace === "live" ? Math.max(0, this.#clock.ahead_ms()) : 0;
        await this.#deps.clock.sleep(rest_ms, this.signal);
        continue;
      }
      if (next.error.retry === "never") return this.#report("denied", next.error.message);
      await this.#wait(next.error);
    }
  }

  async #wait(error: SourceError) {
    const { clock } = this.#deps;
    const lived_ms = this.#live_since_ms === undefined ? 0 : clock.monotonic_ms() - this.#live_since_ms;
    if (lived_ms >= source_limits.retry_forget_ms) this.#backoff.reset();
    this.#live_since_ms = undefined;
    const wait_ms = this.#backoff.next_ms();
    this.#report("reconnecting", `${error.message}; next try in ${(wait_ms / 1_000).toFixed(1)} s`);
    await clock.sleep(wait_ms, this.signal);
  }

  async #attempt(): Promise<Next> {
    const { policy, transport = "tcp" } = this.#options;
    const { location } = this.source;
    await using opened = await openInput(location, {
      policy,
      transport,
      deps: this.#deps,
      signal: this.signal,
    });
    if (this.request.pace === "lossless" && !opened.finite && location.kind !== "testsrc") {
      throw new SourceError("limits", this.#label, only_recordings_wait);
    }
    await this.#findPlace(opened);
    if (this.signal.aborted) return { now: "stop" };
    const timing = opened.has_media_clock ? "media" : "arrival";
    const before = this.#clock.frame_count;
    const end = await this.#decode(
      opened,
      this.#clock.position_ms(),
      (rgb) => this.#deliver(rgb, timing),
      true,
    );
    return this.#judge(end, opened, this.#clock.frame_count - before);
  }

  /** Shown live, a pattern or a loop begins anew, as a camera does. Replayed exactly, a loop's lap is counted first. */
  async #findPlace(opened: OpenedInput) {
    const { kind } = this.source.location;
    if (this.request.pace === "live") {
      if (!opened.finite) this.#clock.rejoin();
      else if (this.#options.loop && this.#clock.frame_count === 0) this.#clock.rewind();
    } else if (
      this.#options.loop && kind === "file" && this.#clock.frame_count === 0 && this.request.start_at_ms > 0
    ) {
      let lap_frames = 0;
      await this.#decode(opened, 0, () => void lap_frames++, false);
      if (lap_frames > 0) this.#clock.enterLap(lap_frames);
    }
  }

  async #decode(
    opened: OpenedInput,
    position_ms: number,
    onFrame: (rgb: Uint8Array) => void | Promise<void>,
    previews: boolean,
  ) {
    const { first_frame_ms = source_limits.first_frame_ms_max, stall_ms = source_limits.stall_ms } =
      this.#options;
    const { width_px, height_px, fit, rate_hz, pace } = this.request;
    const timing = opened.has_media_clock ? "media" : "arrival";
    const start_s = timing === "media" ? position_ms / 1_000 : 0;
    const seekable = timing === "media" && this.source.location.kind !== "testsrc";
    // Two seconds early: what lies between is decoded and dropped, so the frame on screen at start_s is right even
    // where start_s falls between two pictures.
    const exact_seek_s = opened.exact_seek ? Math.max(0, Math.floor(start_s) - 2) : 0;
    this.source.counts.starts++;
    return await runDecoder({
      input: opened.input,
      ...{ width_px, height_px, fit, rate_hz, timing, start_s },
      seek_s: !seekable ? 0 : pace === "live" ? start_s : exact_seek_s,
      real_time: timing === "media" && pace === "live",
      probe_bytes: this.#probe_bytes,
    }, {
      onFrame,
      onPreview: this.#options.previews === false || !previews ? undefined : (jpeg) => {
        this.source.counts.previews++;
        this.events.onPreview(jpeg);
      },
    }, {
      clock: this.#deps.clock,
      signal: this.signal,
      first_frame_ms,
      // Slow sampling is no stall: allow two periods and a half.
      stall_ms: Math.max(stall_ms, 2_500 / rate_hz),
      temp_directory: this.#deps.temp_directory,
      preview: { width_px_max: source_limits.preview_width_px, rate_hz: source_limits.preview_rate_hz },
    });
  }

  #deliver(rgb: Uint8Array, timing: "media" | "arrival"): void | Promise<void> {
    const { width_px, height_px, pace } = this.request;
    if (this.#status !== "live") {
      this.#live_since_ms ??= this.#deps.clock.monotonic_ms();
      this.#report("live", `pictures from ${this.#label}`);
    }
    this.source.counts.frames++;
    const arrived_at_ms = this.#deps.clock.now_ms();
    const pending = this.events.onFrame({
      rgb,
      width_px,
      height_px,
      t_media_ms: this.#clock.stamp(timing),
      arrived_at_ms,
    });
    if (!pending) return;
    if (pace === "lossless") return pending;
    // Live pictures do not wait for whoever looks at them. A consumer that fails has its own error to report.
    pending.catch((error) => this.#deps.log("warn", "a frame's consumer failed", { error: String(error) }));
  }

  #judge(end: DecodeEnd, opened: OpenedInput, frame_count: number): Next {
    const label = this.#label;
    const stderr = this.#redact(end.exit.stderr);
    const retry = (error: SourceError): Next => ({ now: "retry", error: opened.failure() ?? error });
    if (end.why === "aborted") return { now: "stop" };
    if (end.why === "stalled") {
      const reason = frame_count > 0 ? "pictures stopped coming" : "no picture came in time";
      if (frame_count > 0) this.#report("stalled", `${label}: ${reason}`);
      return retry(new SourceError("stalled", label, reason));
    }
    this.#crashes = frame_count > 0 || !end.exit.killed ? 0 : this.#crashes + 1;
    if (end.exit.killed) {
      // Input that kills every decoder is not worth a sixth.
      const again = this.#crashes < 5 ? "backoff" : "never";
      return retry(new SourceError("ended", label, "the decoder was killed", { retry: again }));
    }
    if (opened.finite && this.#over(end, frame_count, stderr)) return this.#finish(stderr);
    if (frame_count > 0) return retry(new SourceError("ended", label, "the stream ended"));
    const error = decoderFailure({ label, stderr, finite: opened.finite });
    if (error.code === "format") {
      this.#probe_bytes = Math.min(this.#probe_bytes * 8, source_limits.probe_bytes_max);
    }
    return retry(error);
  }

  /** True when a recording gave all it has; false when the way to it broke, or it gave nothing at all. */
  #over(end: DecodeEnd, frame_count: number, stderr: string): boolean {
    const is_file = this.source.location.kind === "file";
    const cut_off =
      /ends prematurely|partial file|I\/O error|Input\/output error|Connection (reset|timed out)/i;
    if (!is_file && (end.exit.code !== 0 || cut_off.test(stderr))) return false;
    return frame_count > 0 || end.exit.code === 0 && stderr === "" && this.#clock.position_ms() > 0;
  }

  #finish(stderr: string): Next {
    if (this.#options.loop && this.source.location.kind === "file" && this.#clock.position_ms() > 0) {
      this.#clock.rewind();
      return { now: "lap" };
    }
    const early = /partial file|moov atom|Invalid data|error while decoding/i.test(stderr);
    const how = early ? "ended early: the file is damaged or cut off" : "is over";
    this.#report("ended", `${this.#label} ${how}`);
    return { now: "stop" };
  }
}

const only_recordings_wait = "a live stream cannot wait: lossless needs a recording";

function requestProblem(request: FrameRequest, location: SourceLocation): string | undefined {
  const { width_px, height_px, rate_hz, start_at_ms, pace } = request;
  const side_ok = (side: number) =>
    Number.isInteger(side) && side > 0 && side <= source_limits.frame_side_px_max;
  if (!side_ok(width_px) || !side_ok(height_px)) {
    return `frames are 1 to ${source_limits.frame_side_px_max} pixels a side`;
  }
  if (!(rate_hz >= source_limits.rate_hz_min && rate_hz <= source_limits.rate_hz_max)) {
    return `the frame rate is ${source_limits.rate_hz_min} to ${source_limits.rate_hz_max} per second`;
  }
  if (!(start_at_ms >= 0 && Number.isFinite(start_at_ms))) return "the start time is not a time";
  if (pace === "lossless" && location.kind === "rtsp") {
    return only_recordings_wait;
  }
  return undefined;
}

function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
