// Every bound of this room, in one place. Must not know anything else: numbers and why.

export const vision_limits = {
  /** Frames of one run at most, where batching pays. */
  batch_max: 8,
  /** Frames that may wait. */
  queue_max: 256,
  /** A run that takes longer counts as a crash. */
  run_ms_max: 120_000,
  /** The worker's time to release its session; then it is ended without. */
  close_ms_max: 5_000,

  /** A lost worker is opened anew after the first wait; each loss that follows soon doubles it, up to the second. */
  reopen_first_ms: 500,
  reopen_max_ms: 30_000,
  /** A worker that lived this long starts the waits from the beginning. */
  reopen_forget_ms: 60_000,

  /** Frames of the trial batch. */
  trial_frames: 4,
  trial_rounds: 5,
  /** A batch must save this share, or latency of the first frame is given away for nothing. */
  trial_saving_min: 0.1,
  /** A tower slower than this is not tried: opening would take too long, and such towers gain nothing on a CPU. */
  trial_single_ms_max: 250,
} as const;
