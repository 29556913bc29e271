// Every number of the evaluation that a score depends on, and its bounds, in one place with its reason. Results
// compare only while none of them changes: the report names `report_version` for that.

export const eval_limits = {
  /** A line within this of the event, either way, tells it. The public mark for "at the right time". */
  window_s: 2,
  /** For everything about timing, lines may come this much early or late. */
  wide_early_s: 2,
  wide_late_s: 5,
  /** Time within which a line that tells the same again, of nothing new, is a repeat. */
  repeat_s: 10,
  /** Words are looked at for repeated runs of four within this time. */
  wording_window_s: 60,
  /** Resamples of the scenes for an interval, and the share of them inside it. */
  resamples: 1_000,
  interval: 0.95,
  /** Scenes that the baselines are fitted on, per level; their pictures, per level. */
  fit_scenes: 12,
  fit_scenes_seen: 4,
  fit_duration_s: 60,
  /** Side of the pictures that the frame-difference baseline looks at, and how often. */
  difference_side_px: 64,
  difference_rate_hz: 2,
  /** A trigger does not fire again this soon. */
  difference_pause_s: 1,
  /** Delays of the oracle, for the curve. */
  oracle_delays_s: [0, 0.5, 1, 1.5, 2, 3, 4, 5],
  /** How old what is asked about may be: results are sorted into the nearest of these. */
  recall_ages_s: [5, 10, 20, 40, 60, 120, 300, 600, 1_800, 3_600, 7_200],
  /** Questions about one moment of the past, at most. */
  recall_questions_max: 12,
  /** Of a long scene: how often a thing with seasons has one, and how long it is. */
  seasons: { every_s: 10_800, length_s: 900 },
  /** A long scene is scored in this many parts, or by the hour where that is more of them. */
  endurance_parts: 6,
  endurance_part_max_s: 3_600,
  /** "N minutes ago" means this much before or behind; that of the world's questions. */
  ago_slack_s: 12,
  /** Something must have happened this recently to have "just" happened; likewise. */
  just_s: 6,
  /** Time between two asks of a polled alert. */
  poll_every_s: 5,
  /** Scenes of one run. */
  scenes_max: 1_000,
  /** Lines and answers of another captioner that are read. */
  outside_lines_max: 1_000_000,
} as const;
