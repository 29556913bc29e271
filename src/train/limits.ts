// Every bound of the run, in one place, with what happens when it is met. Must not know stages.

export const train_limits = {
  /** Steps in a row without a finite loss or gradient; one more would not bring it back: the run ends with an error. */
  skipped_in_row_max: 8,
  /** Checkpoints in a folder: the newest and the one before, in case the newest does not open. */
  checkpoints_kept: 2,
  /** Steps the plot page shows: more are averaged in pairs, so that the page stays a few 100 kB. */
  plot_points_max: 2_000,
  /** Wall time between two writings of the plot page, and its own reload. */
  page_interval_ms: 15_000,
  /** Wall time between two lines of progress where there is no terminal, and two bars where there is one. */
  line_interval_ms: 15_000,
  bar_interval_ms: 250,
  /** A log longer than this is not read for the plot; it is still continued. */
  log_bytes_max: 1 << 30,
  /** Elements that are encoded at once for a file of weights: 1 MiB as float32. */
  piece_elements: 1 << 18,
  /** Examples of one data set: cubes modulo a prime of this size stay exact in a double. */
  examples_max: 90_000_000,
} as const;
