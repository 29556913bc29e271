// What leaves this room: pictures with a time, and the status of where they come from. Structural on purpose,
// so whoever consumes frames declares the same shapes in its own words. Must not know who consumes them.

/** What a person is told about a source. `denied` is final: it is never retried. */
export type SourceStatus = "connecting" | "live" | "stalled" | "reconnecting" | "ended" | "denied";

export interface Frame {
  /** uint8 RGB, width x height x 3, row-major. Owned by the receiver: no frame shares memory with another. */
  rgb: Uint8Array;
  width_px: number;
  height_px: number;
  /** Milliseconds on the source's own clock, from the first frame of this source, never going back. */
  t_media_ms: number;
  /** Wall clock when the frame reached this process. */
  arrived_at_ms: number;
}

export interface SourceEvents {
  onFrame(frame: Frame): void | Promise<void>;
  /** A picture for people, not for a model: a whole JPEG. */
  onPreview(jpeg: Uint8Array): void;
  /** `reason` is a sentence for a person, with no password in it. */
  onStatus(status: SourceStatus, reason: string): void;
}

export interface FrameRequest {
  width_px: number;
  height_px: number;
  /** A picture of another shape: resized in both directions, or the middle of it cut out. Default: stretch. */
  fit?: "stretch" | "crop";
  rate_hz: number;
  /** live: real time, `onFrame` is not awaited. lossless: as fast as `onFrame` resolves, recorded input only. */
  pace: "live" | "lossless";
  /** Frames before this media time are not wanted. */
  start_at_ms: number;
}

export interface FrameSource {
  /** True when the same address gives the same frames again from any position (a file, a pattern). */
  readonly replayable: boolean;
  /** Runs until the source ended for good, was denied, or the signal aborts. Never rejects: it reports. */
  run(request: FrameRequest, events: SourceEvents, signal: AbortSignal): Promise<void>;
}

/** What a source has done since it was made. Numbers only grow. */
export interface SourceCounts {
  frames: number;
  previews: number;
  /** Decoder processes started. */
  starts: number;
  /** What was given to this source and not shown to anybody, by reason. */
  dropped: Record<string, number>;
}
