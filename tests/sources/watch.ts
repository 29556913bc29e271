// Runs a source for a test and writes down what it says.
import type { Frame, FrameRequest, FrameSource, SourcePolicy, SourceStatus } from "../../streams/mod.ts";

/** Loopback is where these tests live; nothing else is allowed. */
export const lab_policy: SourcePolicy = { allow_files: true, allow_loopback: true, allow_private: false };

export interface Seen {
  frames: Frame[];
  previews: Uint8Array[];
  statuses: { status: SourceStatus; reason: string; at_ms: number }[];
  names: SourceStatus[];
}

export interface WatchOptions extends Partial<FrameRequest> {
  /** Stops the source when true; asked after every event. */
  until?: (seen: Seen) => boolean;
  /** Stops it in any case. A test that needs this long has failed. */
  timeout_ms?: number;
  onFrame?: (frame: Frame, seen: Seen) => void | Promise<void>;
}

export async function watch(source: FrameSource, options: WatchOptions = {}): Promise<Seen> {
  const { until, timeout_ms = 15_000, onFrame, ...request } = options;
  const seen: Seen = { frames: [], previews: [], statuses: [], names: [] };
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), timeout_ms);
  const begun_ms = performance.now();
  const look = () => {
    if (until?.(seen)) stop.abort();
  };
  const defaults: FrameRequest = { width_px: 32, height_px: 24, rate_hz: 4, pace: "live", start_at_ms: 0 };
  try {
    await source.run({ ...defaults, ...request }, {
      onFrame(frame) {
        seen.frames.push(frame);
        const pending = onFrame?.(frame, seen);
        look();
        return pending;
      },
      onPreview(jpeg) {
        seen.previews.push(jpeg);
        look();
      },
      onStatus(status, reason) {
        seen.statuses.push({ status, reason, at_ms: performance.now() - begun_ms });
        seen.names.push(status);
        look();
      },
    }, stop.signal);
  } finally {
    clearTimeout(timer);
  }
  return seen;
}

export const times = (frames: Frame[]): number[] => frames.map(({ t_media_ms }) => t_media_ms);

/** A short name for the bytes of every frame, so that a difference prints as one line. */
export async function prints(frames: Frame[]): Promise<string[]> {
  return await Promise.all(frames.map(async ({ rgb }) => {
    const digest = await crypto.subtle.digest("SHA-256", rgb as Uint8Array<ArrayBuffer>);
    return [...new Uint8Array(digest).subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, "0")).join(
      "",
    );
  }));
}
