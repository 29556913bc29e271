// Every bound and loss rule of the pipeline, in one place. A queue without a line here is a bug.

export const limits = {
  /** Streams that may run at once. Default; `streams_max` in the configuration may lower or raise it. */
  streams_max: 16,
  /** Addresses being tested at once; each is a decoder of its own. More answer `probes_full` (429). */
  probes_max: 4,
  /** States beside those of the streams: forks and chats, questions being answered. More answer `questions_full` (429). */
  questions_active_max: 64,
  /** Characters of a question. */
  question_chars_max: 2_000,
  /** A question that is not answered by then is cut off with what was said so far. */
  question_deadline_ms: 20_000,
  question_deadline_ms_max: 120_000,

  /** Picture chats take seats and states of those questions. Characters of a whole conversation. */
  chat_chars_max: 32_000,
  /** Tokens of one answer; the engine decodes no more at once. More are not asked for. */
  picture_tokens_max: 4_096,
  /** Cut off by then with what was said so far: a large tower and model take minutes for one picture on a CPU. */
  picture_deadline_ms: 600_000,
  /** Pictures being decoded and encoded at once; the others wait. One may have 150 MB of pixels. */
  pictures_decoding_max: 2,
  /** Positions put into a state at once: the inbox of the engine holds 65,536. */
  feed_positions: 8_192,

  /** Ticks per second a stream may ask for. */
  tick_rate_hz_min: 0.05,
  tick_rate_hz_max: 10,

  /** Before the state old frames are worthless: newest wins, the older one is dropped and counted. */
  mailbox_frames: 1,

  /** Visual-change gate: side of the luma thumbnail, pixels. */
  thumbnail_side_px: 16,
  /** Mean absolute luma change (0..255) below which a frame is `still` and not fed. */
  change_threshold: 1.5,
  /** Frames that are fed behind the last one that changed: or a model would never see that something has stopped. */
  still_frames_fed: 3,
  /** A still picture is fed anyway after this much media time, so that the state's sense of time goes on. */
  still_ms_max: 5_000,

  /** A frame is the one before another when so many ticks of media time lie between them; else one was lost, or doubled. */
  frame_before_ticks_min: 0.5,
  frame_before_ticks_max: 1.5,

  /** Text-novelty gate: captions looked back at, for how long, and the word overlap that counts as the same. */
  novelty_captions: 4,
  novelty_window_ms: 30_000,
  novelty_overlap: 0.8,

  /** Policy "refresh": captions looked back at for the summary, and the tokens it may have in all. */
  summary_captions: 12,
  summary_tokens_max: 128,

  /** Snapshot ladder: keep one per `every_ms` for snapshots younger than `age_ms`. 460 at most. */
  snapshot_ladder: [
    { every_ms: 1_000, age_ms: 60_000 },
    { every_ms: 10_000, age_ms: 660_000 },
    { every_ms: 60_000, age_ms: 4_260_000 },
    { every_ms: 300_000, age_ms: 86_400_000 },
  ],
  /** Wall time between two snapshots of one stream at the least, so that lossless pace does not live on fsync. */
  snapshot_wall_ms_min: 250,
  /** Snapshots that a resume may fall back through; tick records are kept back to the oldest of them. */
  snapshot_generations: 2,

  /** Events waiting for one viewer before deltas are skipped, and before it is cut off with 4008. */
  viewer_events_soft: 64,
  viewer_events_max: 1_024,
  viewers_max: 256,

  /** How often each stream reports its numbers. */
  stats_every_ms: 1_000,
  /** A tick that cannot be written down (disk full) is tried again after this long; narration waits. */
  commit_retry_ms: 1_000,
  /** Back-off between restarts of a stream whose tick failed. */
  restart_ms_min: 500,
  restart_ms_max: 30_000,
  /** Captions shown beside an answer as evidence. */
  evidence_captions: 5,

  /** Samples kept for percentiles of caption age and tick time. */
  sample_count: 512,
} as const;

export type Limits = typeof limits;
