// Bounds of what may be said, in one place: what is over one of them is a 400 on REST and a 4400 on a socket.
// Runs in browser and server; must not know the rest of the repository. Rooms that may not import this one hold some of
// these numbers too; tests/tidy/limits_test.ts keeps them equal.

export const wire_limits = {
  /** Characters of a source's address. */
  url_chars_max: 2_048,
  /** Characters of a stream's name. */
  name_chars_max: 120,
  /** Ticks per second that a stream may ask for. */
  tick_rate_hz_min: 0.05,
  tick_rate_hz_max: 10,
  /** Policy "refresh": characters of an instruction, and the bounds of its times in seconds. */
  instruction_chars_max: 2_000,
  cadence_s_min: 0.1,
  refresh_s_min: 1,
  refresh_s_max: 3_600,
  /** Characters of a question. */
  question_chars_max: 2_000,
  question_deadline_ms_min: 100,
  question_deadline_ms_max: 120_000,
  /** Characters of search words. */
  search_chars_max: 200,
  /** Captions of one answer. */
  captions_max: 1_000,
  /** Characters of a client's id for a question. */
  ask_id_chars_max: 64,
  /** Characters of a token that somebody signs in with. */
  token_chars_max: 1_024,
  /** Bytes of the media in one message of a publisher. A longer message closes 1009. */
  push_payload_bytes_max: 2 * 1024 * 1024,
} as const;
