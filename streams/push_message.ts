// One message of a publisher, parsed by whoever holds the socket. Must not know how it travelled.

export type PushCodec = "jpeg" | "h264" | "webm";

/** `h264` is Annex B, one access unit per message; `webm` any cut of a recording. */
export interface PushMessage {
  codec: PushCodec;
  /** A decoder may start here. For h264; every JPEG is one, a recording begins with one. */
  key_frame: boolean;
  /** The publisher's clock, microseconds; only differences count. */
  t_media_us: number;
  /** Counts messages of one connection; wraps at 2^32. */
  sequence: number;
  payload: Uint8Array;
}
