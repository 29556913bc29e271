// Every bound of this room, in one place, with what happens when it is met. Bounds of what is said are in
// src/wire/limits.ts; how many events may wait for a viewer, and how many viewers there may be, in the pipeline's.
import { push_header_bytes, wire_limits } from "../wire/mod.ts";

/** How often one client may speak: a bucket that refills. */
export interface Rate {
  per_s: number;
  /** At once, after a pause. */
  burst: number;
}

export const http_limits = {
  // ---- requests ---------------------------------------------------------------------------------------------

  /** A longer body is refused, but of a chat: `too_large` (413). */
  json_bytes_max: 64 * 1024,
  /** A chat may carry pictures. Longer: `too_large` (413). All long bodies together: `questions_full` (429). */
  chat_bytes_max: 32 * 1024 * 1024,
  long_bodies_bytes_max: 64 * 1024 * 1024,
  /** One picture, decoded from base64. Longer: `too_large`. */
  picture_bytes_max: 16 * 1024 * 1024,
  /** Texts that end an answer, and characters of one. More is a `bad_request`. */
  stops_max: 4,
  stop_chars_max: 100,
  /** Slow or silent connections before a request is whole are cut. Answers may take as long as they like. */
  request_head_ms_max: 10_000,
  request_ms_max: 30_000,
  connection_idle_ms_max: 10_000,
  connections_checked_every_ms: 2_000,
  /** Answers of one list, and messages of one chat. More is a `bad_request`. */
  answers_max: 500,
  chat_messages_max: 256,

  // ---- who may come in --------------------------------------------------------------------------------------

  /** A shorter token is refused when the program starts. */
  token_chars_min: 16,
  /** Sessions remembered; the oldest is signed out. */
  sessions_max: 1_000,
  session_ms: 7 * 24 * 3_600_000,
  /**
   * Wrong tokens of one address per window; then wrong ones answer `rate_limited` (429). The right one always comes in:
   * behind a proxy all share an address. Typing is limited harder than an old script.
   */
  login_failures_max: 10,
  bearer_failures_max: 300,
  failure_window_ms: 60_000,
  /** Addresses remembered; the oldest is forgotten. */
  addresses_max: 4_096,
  /** Publishers at once; more answer `viewers_full`. A stream has one, so this bounds sockets that said nothing yet. */
  publishers_max: 64,

  // ---- sockets ----------------------------------------------------------------------------------------------

  /** Longer messages, or more fragments, close 1009. */
  watch_bytes_max: 64 * 1024,
  publish_bytes_max: wire_limits.push_payload_bytes_max + push_header_bytes,
  fragments_max: 16,
  /** A page that comes back subscribes to all its streams at once. Faster viewers are closed with 4429. */
  viewer_rate: { per_s: 20, burst: 40 } as Rate,
  /** 60 pictures a second at most; after a stall of the network a few seconds at once. Faster ones close with 4429. */
  publisher_rate: { per_s: 120, burst: 360 } as Rate,
  /** Dropped messages, with less than `flood_calm_ms` between them, that close a publisher with 4429. */
  flood_messages_max: 64,
  /** A sender that pauses so long has understood. */
  flood_calm_ms: 1_000,
  /** Questions of one viewer at once, so that one cannot take all forks of the engine. More fail: `questions_full`. */
  viewer_questions_max: 4,

  /** Between pings. A socket that misses `pings_missed_max` is cut. */
  ping_ms: 30_000,
  pings_missed_max: 2,
  /** A publisher says what it brings within this time, or is closed with 4400. */
  first_message_ms: 5_000,
  /** A viewer that takes nothing for so long is cut off with 4008. */
  stall_ms: 5_000,
  /** From our close frame until the connection is cut. */
  close_ms: 5_000,
  /** The same after a message that may not be. Nothing is read meanwhile. */
  close_refused_ms: 500,
  /** Bytes of a close reason; the protocol allows 123. The rest is left out. */
  close_reason_bytes_max: 120,
  /** Closing the server: whatever is left then is cut. */
  server_close_ms: 5_000,
  /** How often sessions of open sockets are looked at. */
  sessions_checked_every_ms: 1_000,

  // ---- what waits for a reader ------------------------------------------------------------------------------

  /** Bytes waiting for a viewer above which what can be skipped is skipped, and the log is no longer read for it. */
  viewer_bytes_soft: 1 << 20,
  /** Pictures stop earlier: a caption must not queue behind seconds of pictures. */
  viewer_picture_bytes: 256 << 10,
  /** Bytes waiting that end the connection at once: 4008. */
  viewer_bytes_max: 4 << 20,
  /** Captions sent to a viewer that gives no number to resume from. */
  viewer_captions_newest: 50,
  /** Captions read from the log at once; for a viewer fewer than its soft bound, so that replay alone skips nothing. */
  viewer_page_captions: 32,
  event_page_captions: 100,
  export_page_captions: 500,
  /** Proxies cut silent event streams after 30 to 60 s: a comment goes out before. */
  event_keep_alive_ms: 15_000,
  /** A reader of events that takes nothing for so long is cut off; it resumes with Last-Event-ID. */
  event_write_ms_max: 5_000,
} as const;
