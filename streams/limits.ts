// Every bound of this room, in one place. Must not know anything else: numbers and why.

export const source_limits = {
  /** Characters of an address a person may type. */
  address_chars_max: 2_048,

  /**
   * Pixels of one decoded picture: 4096 x 2176, so 3840x2160 and 4096x2160 pass. A 16000x16000 JPEG of 1.5 MB
   * took 455 MB and seconds to decode without it, 57 MB and a refusal with it.
   */
  pixels_max: 8_912_896,
  side_px_max: 4_096,
  /** Tracks in a container. Films carry a dozen subtitle tracks, HLS masters ten renditions. */
  tracks_max: 32,

  /** One pushed JPEG, and the payload of one pushed message of any kind. */
  push_jpeg_bytes_max: 2 * 1024 * 1024,
  push_message_bytes_max: 2 * 1024 * 1024,
  /**
   * A whole picture that somebody asks about: bytes of its file, its pixels (a 50-megapixel telephone; 150 MB as RGB),
   * and the time one decoder may take. Larger ones are refused before anything is decoded.
   */
  picture_bytes_max: 16 * 1024 * 1024,
  picture_pixels_max: 50_331_648,
  picture_side_px_max: 16_384,
  picture_ms_max: 30_000,
  /** Pushed pictures that may be under way at once: credits of a JPEG publisher. */
  push_window_messages: 4,
  /** Bytes waiting for the decoder before a H.264 or WebM publisher gets no more credit. */
  push_backlog_bytes_max: 512 * 1024,
  /** A pushed picture that is not decoded by then is given up and the decoder started anew. */
  push_decode_ms_max: 3_000,
  /** A media clock of a publisher may run this far from our own before it is set right. */
  push_clock_drift_ms_max: 10_000,

  /** One preview JPEG out of the decoder, and how often and how wide. */
  preview_bytes_max: 4 * 1024 * 1024,
  preview_rate_hz: 5,
  preview_width_px: 640,

  /** Raw side lengths and rates that may be asked for. */
  frame_side_px_max: 1_024,
  rate_hz_min: 0.01,
  rate_hz_max: 60,

  /**
   * Bytes a decoder reads of live input before it begins: 32 KiB is a second of a 300 kbit/s transport stream. Where
   * that held no stream table, the next attempts read eight times as much, up to the second number.
   */
  probe_bytes: 32_768,
  probe_bytes_max: 2 * 1024 * 1024,
  /** Bytes read to decide what a stream is: three packets of MPEG-TS after a join in the middle, and some. */
  sniff_bytes: 4_096,
  /** Of a playlist more is read, to see whether it is closed: 512 KiB are ten thousand segments. */
  playlist_bytes_max: 512 * 1024,
  redirects_max: 5,
  /** Head of one HTTP request or response that the gate reads. */
  http_head_bytes_max: 32 * 1024,
  /** HTTP connections of one decoder at once. HLS uses two or three. */
  gate_connections_max: 16,

  /** Resolving a name, connecting, and the answer's first bytes. */
  connect_ms_max: 10_000,
  /** Sockets of the decoder: no byte for this long is an error there. Longer than our own watchdog's default. */
  socket_idle_ms_max: 20_000,

  /** From the start of a decoder to its first picture. Cameras send a key picture every 10 s at worst. */
  first_frame_ms_max: 20_000,
  /** No picture for this long while live: `stalled`. */
  stall_ms: 10_000,
  /** Backoff: 1 s doubling to 60 s, each wait drawn from zero to that; forgotten after 30 s of pictures. */
  retry_first_ms: 1_000,
  retry_max_ms: 60_000,
  retry_forget_ms: 30_000,

  /** How long a pushed stream waits for its publisher to come back: a page reload, a changed network. */
  publisher_grace_ms: 60_000,
  publisher_silent_ms: 5_000,

  /** What is kept of a decoder's complaints. */
  stderr_tail_chars: 4_096,
} as const;
