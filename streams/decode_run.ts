// One decoder from start to end: whole frames out, previews out, a watchdog that kills it when pictures stop.
// Must not know why it runs or whether it will run again.
import { decodeArgs, type DecodeConfig } from "./ffmpeg_args.ts";
import { type FfmpegExit, type FfmpegProcess, startFfmpeg } from "./ffmpeg_process.ts";
import { openPreviewSocket } from "./preview_socket.ts";
import { RawFrames } from "./raw_frames.ts";
import type { SourceClock } from "./source_deps.ts";

export interface DecodeHooks {
  /** While this is pending nothing more is read, and the watchdog waits. */
  onFrame(rgb: Uint8Array): void | Promise<void>;
  onPreview?(jpeg: Uint8Array): void;
  onLine?(line: string): void;
  /** The decoder is there and can be written to. */
  onStart?(process: FfmpegProcess): void;
}

export interface DecodeLimits {
  clock: SourceClock;
  signal: AbortSignal;
  first_frame_ms: number;
  stall_ms: number;
  temp_directory: string | undefined;
  preview?: { width_px_max: number; rate_hz: number };
}

export interface DecodeEnd {
  why: "exit" | "stalled" | "aborted";
  exit: FfmpegExit;
  frame_count: number;
}

/** Runs until the decoder exits, pictures stop, or the signal aborts. Rejects only if `onFrame` does. */
export async function runDecoder(
  config: Omit<DecodeConfig, "preview">,
  hooks: DecodeHooks,
  limits: DecodeLimits,
): Promise<DecodeEnd> {
  const { clock, signal } = limits;
  let last_sign_ms = clock.monotonic_ms();
  let frame_count = 0;
  let busy = false;
  const aborted = Promise.withResolvers<void>();
  let why: DecodeEnd["why"] = "exit";
  let failure: { error: unknown } | undefined;

  await using preview = limits.preview && hooks.onPreview
    ? await openPreviewSocket(limits.temp_directory, (jpeg) => {
      last_sign_ms = clock.monotonic_ms();
      if (!signal.aborted) hooks.onPreview?.(jpeg);
    })
    : undefined;
  const frames = new RawFrames(config.width_px * config.height_px * 3);
  const process = startFfmpeg(
    decodeArgs({ ...config, ...preview && { preview: { socket_path: preview.path, ...limits.preview! } } }),
    {
      onLine: hooks.onLine,
      async onOutput(chunk) {
        for (const rgb of frames.push(chunk)) {
          if (signal.aborted || failure) return;
          frame_count++;
          busy = true;
          try {
            const pending = hooks.onFrame(rgb);
            // An abort does not wait for whoever holds the frame.
            if (pending) await Promise.race([pending, aborted.promise]);
          } catch (error) {
            failure = { error };
            process.kill();
          } finally {
            busy = false;
            last_sign_ms = clock.monotonic_ms();
          }
        }
      },
    },
  );
  hooks.onStart?.(process);
  const stop = new AbortController();
  const onAbort = () => {
    aborted.resolve();
    why = "aborted";
    process.kill();
    stop.abort();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  const watchdog = (async () => {
    while (!stop.signal.aborted) {
      const allowed_ms = frame_count > 0 ? limits.stall_ms : limits.first_frame_ms;
      const left_ms = busy ? allowed_ms : last_sign_ms + allowed_ms - clock.monotonic_ms();
      if (left_ms <= 0) {
        why = "stalled";
        return process.kill();
      }
      // Not longer than a stall: the first picture shortens what is allowed.
      await clock.sleep(Math.min(left_ms, limits.stall_ms), stop.signal);
    }
  })();
  const exit = await process.ended;
  stop.abort();
  await watchdog;
  signal.removeEventListener("abort", onAbort);
  if (failure) throw failure.error;
  return { why, exit, frame_count };
}
