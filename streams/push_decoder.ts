// Pushed bytes become frames: one decoder for pictures that stand alone, one for streams. Each owns one process.
// Must not know sockets, credits or statuses.
import { type DecodeEnd, runDecoder } from "./decode_run.ts";
import type { FfmpegProcess } from "./ffmpeg_process.ts";
import type { FrameRequest } from "./frame.ts";
import { source_limits } from "./limits.ts";
import { mpjpegPart } from "./mpjpeg.ts";
import type { SourceDeps } from "./source_deps.ts";

export interface PushDecoderOptions {
  request: FrameRequest;
  deps: SourceDeps;
  /** `t_media_ms` only for pictures that stand alone. */
  onFrame(rgb: Uint8Array, t_media_ms: number | undefined): void;
  onPreview(jpeg: Uint8Array): void;
  /** A decoder process was started. */
  onStart(): void;
  /** A picture was given up. */
  onLost(reason: "superseded" | "undecodable"): void;
  /** The process ended though nobody asked it to. */
  onFailure(stderr: string): void;
}

export interface PushDecoder {
  /** Takes a payload; `consumed` is called once, when it needs no more room. */
  put(payload: Uint8Array, t_media_ms: number, consumed: () => void): void;
  readonly backlog_bytes: number;
  /** No more input: what is inside comes out, for a second at most. Resolves when the process is gone. */
  finish(): Promise<void>;
  stop(): Promise<void>;
}

// The publisher decides when pictures come; whoever owns the decoder watches for silence.
const no_watchdog_ms = 1e9;

/** What both kinds share: one process, input that waits for it, an orderly end. */
class Decoding {
  process: FfmpegProcess | undefined;
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();
  #waiting: ((process: FfmpegProcess) => void)[] = [];
  #finishing = false;

  constructor(
    format: "mpjpeg" | "h264" | "matroska",
    readonly options: PushDecoderOptions,
    onFrame: (rgb: Uint8Array) => void,
    after: Promise<void>,
  ) {
    this.ended = after.then(() => this.#run(format, onFrame)).then((end) => {
      if (end && end.why === "exit" && !this.#finishing) options.onFailure(end.exit.stderr);
    }, (error) => options.onFailure(String(error)));
  }

  async #run(
    format: "mpjpeg" | "h264" | "matroska",
    onFrame: (rgb: Uint8Array) => void,
  ): Promise<DecodeEnd | void> {
    if (this.#stop.signal.aborted) return;
    const { request: { width_px, height_px, fit, rate_hz }, deps, onPreview, onStart } = this.options;
    const stands_alone = format === "mpjpeg";
    return await runDecoder({
      input: { kind: "stdin", format },
      ...{ width_px, height_px, fit, rate_hz, start_s: 0, seek_s: 0, real_time: false },
      timing: stands_alone ? "every" : "arrival",
    }, {
      onFrame,
      onPreview: stands_alone ? undefined : onPreview,
      onStart: (process) => {
        onStart();
        this.process = process;
        for (const give of this.#waiting.splice(0)) give(process);
        if (this.#finishing) process.closeInput();
      },
    }, {
      ...{ clock: deps.clock, signal: this.#stop.signal, temp_directory: deps.temp_directory },
      ...{ first_frame_ms: no_watchdog_ms, stall_ms: no_watchdog_ms },
      preview: { width_px_max: source_limits.preview_width_px, rate_hz: source_limits.preview_rate_hz },
    });
  }

  write(bytes: Uint8Array, taken?: () => void) {
    if (this.process) this.process.write(bytes, taken);
    else this.#waiting.push((process) => process.write(bytes, taken));
  }

  async finish() {
    this.#finishing = true;
    this.process?.closeInput();
    const patience = new AbortController();
    const sleep = this.options.deps.clock.sleep(1_000, patience.signal).then(() => this.#stop.abort());
    await this.ended;
    patience.abort();
    await sleep;
  }

  async stop() {
    this.#finishing = true;
    this.#stop.abort();
    await this.ended;
  }
}

/**
 * A NAL unit that says "the next picture begins here". The parser waits for that before it lets a picture go, which
 * without this is one picture late: a second at one picture per second.
 */
const access_unit_delimiter = new Uint8Array([0, 0, 0, 1, 9, 0xf0]);

/** H.264 or WebM: every byte counts, so it takes all, and tells how much waits. */
class StreamDecoder implements PushDecoder {
  readonly #decoding: Decoding;

  constructor(readonly format: "h264" | "matroska", options: PushDecoderOptions, after: Promise<void>) {
    this.#decoding = new Decoding(format, options, (rgb) => options.onFrame(rgb, undefined), after);
  }

  get backlog_bytes(): number {
    return this.#decoding.process?.backlog_bytes ?? 0;
  }

  put(payload: Uint8Array, _t_media_ms: number, consumed: () => void) {
    this.#decoding.write(payload, consumed);
    if (this.format === "h264") this.#decoding.write(access_unit_delimiter);
  }

  finish = () => this.#decoding.finish();
  stop = () => this.#decoding.stop();
}

interface Picture {
  jpeg: Uint8Array;
  t_media_ms: number;
  consumed: () => void;
}

/** JPEG: one picture inside at a time, so that a frame is known by the picture that went in; newest waits. */
class PictureDecoder implements PushDecoder {
  readonly backlog_bytes = 0;
  #decoding: Decoding | undefined;
  #inside: Picture | undefined;
  #next: Picture | undefined;
  #deadline: AbortController | undefined;
  #stopped = false;

  constructor(readonly options: PushDecoderOptions, private after: Promise<void>) {}

  put(jpeg: Uint8Array, t_media_ms: number, consumed: () => void) {
    if (this.#next) {
      this.options.onLost("superseded");
      this.#next.consumed();
    }
    this.#next = { jpeg, t_media_ms, consumed };
    this.#feed();
  }

  #feed() {
    if (this.#inside || !this.#next || this.#stopped) return;
    const picture = this.#inside = this.#next;
    this.#next = undefined;
    this.#decoding ??= this.#start();
    this.#decoding.write(mpjpegPart(picture.jpeg));
    const deadline = this.#deadline = new AbortController();
    this.options.deps.clock.sleep(source_limits.push_decode_ms_max, deadline.signal).then(() => {
      if (!deadline.signal.aborted) this.#giveUp();
    });
  }

  #start(): Decoding {
    const options = { ...this.options, onFailure: () => this.#giveUp() };
    return new Decoding("mpjpeg", options, (rgb) => this.#decoded(rgb), this.after);
  }

  #decoded(rgb: Uint8Array) {
    const picture = this.#leave();
    if (!picture) return;
    this.options.onFrame(rgb, picture.t_media_ms);
    this.#feed();
  }

  #leave(): Picture | undefined {
    this.#deadline?.abort();
    const picture = this.#inside;
    this.#inside = undefined;
    picture?.consumed();
    return picture;
  }

  /** The process choked on a picture: another one takes its place, the picture is lost. */
  #giveUp() {
    if (this.#leave()) this.options.onLost("undecodable");
    const old = this.#decoding;
    this.#decoding = undefined;
    // A second picture may be inside already if the old process delivers late; it is not listened to any more.
    if (old) this.after = old.stop();
    this.#feed();
  }

  async stop() {
    this.#stopped = true;
    this.#leave();
    this.#next?.consumed();
    this.#next = undefined;
    await this.#decoding?.stop();
    await this.after;
  }

  finish = () => this.stop();
}

/** `after`: when the decoder before this one is gone. There is never a second process. */
export function openPushDecoder(
  codec: "jpeg" | "h264" | "webm",
  options: PushDecoderOptions,
  after: Promise<void>,
): PushDecoder {
  if (codec === "jpeg") return new PictureDecoder(options, after);
  return new StreamDecoder(codec === "webm" ? "matroska" : "h264", options, after);
}
