// Every bound of this room, in one place. Must not know anything else: numbers and why.

export const vision_limits = {
  /** Frames of one run at most, where batching pays. */
  batch_max: 8,
  /** Frames and pictures that may wait. */
  queue_max: 256,
  /** Their pixels together; one picture may always wait. */
  queue_bytes_max: 512 * 1024 ** 2,
  /** Runs of frames that may go before a picture that waits; then it has its turn. */
  runs_before_picture_max: 8,
  /** A side of a picture. What is longer is no photograph. */
  picture_side_px_max: 16_384,
  /** 8192 x 8192: 192 MiB of pixels, and as much again at most while its rows are resized. */
  picture_pixels_max: 1 << 26,
  /** Tiles of one picture. With 256 vectors each they are a quarter of what a state's inbox takes. */
  tiles_max: 64,
  /** A run that takes longer counts as a crash; a picture of several views or tiles may take as many times that. */
  run_ms_max: 120_000,
  /** The first runs, which tell how long a run takes: a slow machine under load needs minutes for three towers. */
  first_run_ms_max: 600_000,
  /** A tower slower than this may take `slow_run_factor` times what its first runs took before it counts as crashed. */
  slow_run_ms: 10_000,
  slow_run_factor: 12,
  /** The worker's time to release its session; then it is ended without. */
  close_ms_max: 5_000,

  /** A model with more weights gives its working memory back after each run: see worker.ts. */
  arena_model_bytes_max: 512 * 1024 ** 2,

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
  /** A first run this slow says enough by itself; a second one would only make opening slower. */
  trial_first_ms_max: 5_000,

  /** Patches along one side of a tower that is imported, SAM has 64: some constants grow with its cube. */
  grid_max: 96,
} as const;
