// The report of an evaluation, as it is written down: every number and what it is of. Read by the page that shows it and
// by whoever compares two runs. Must not know how anything is measured.
import { z } from "zod";

export const report_format = "gander-eval-report";
/** Another number: results do not compare with those of before. */
export const report_version = 2;

/** Null everywhere: there was nothing to take the share of. */
const share = z.number().min(0).max(1).nullable();
const count = z.int().min(0);
const number_or_none = z.number().nullable();

const interval = z.object({ low: z.number(), high: z.number() }).nullable();
const rates = z.object({
  right: count,
  told: count,
  true: count,
  precision: share,
  recall: share,
  f1: share,
});
const accuracy = z.object({ right: count, asked: count, accuracy: share });
const kinds_accuracy = z.record(z.string(), accuracy);

const timing = z.object({
  time_diff_s: number_or_none,
  early_share: share,
  early_mean_s: number_or_none,
  late_mean_s: number_or_none,
  trigger_accuracy: z.object({ within_1_s: share, within_2_s: share, within_3_s: share }),
  pauc: share,
  jaccard: share,
  redundant_share: share,
  missed_share: share,
});

const wording = z.object({
  silent_tick_share: share,
  lines_per_min: number_or_none,
  words_per_min: number_or_none,
  false_lines_per_min: number_or_none,
  repeat_share: share,
  rep_4: share,
  longest_loop_lines: count,
});

const narrator = z.object({
  name: z.string(),
  f1: share,
  thing_f1: share,
  pauc: share,
  lines_per_min: number_or_none,
});

const section = z.object({
  /** Level, or "all". */
  name: z.string(),
  scenes: count,
  duration_s: z.number(),
  strict: rates,
  strict_f1_interval: interval,
  /** Kind and object alone. */
  thing: rates,
  kinds: z.record(z.string(), rates),
  timing,
  wording,
  answers: accuracy,
  answers_interval: interval,
  answer_kinds: kinds_accuracy,
  /** The same questions, answered out of the caption log by rules. */
  log_answers: accuracy,
  log_answer_kinds: kinds_accuracy,
  narrators: z.array(narrator),
  answerers: z.array(z.object({ name: z.string(), overall: accuracy, kinds: kinds_accuracy })),
  oracle: z.array(z.object({ delay_s: z.number(), f1: share, pauc: share })),
  /** The lines of each scene, scored as if they were about another one. */
  shuffled: z.object({ f1: share, thing_f1: share }).nullable(),
});

const recall = z.object({
  points: z.array(z.object({ age_s: z.number(), asked: count, accuracy: z.number() })),
  half_life_s: number_or_none,
});

const task = z.object({
  task: z.string(),
  title: z.string(),
  status: z.enum(["measured", "substitute", "not_offered", "not_asked"]),
  note: z.string(),
});

const audit = z.object({ passed: z.boolean(), note: z.string() });

const machine = z.object({
  /** Newest frames that a line is about: from arrival to the last word. */
  caption_age_p50_ms: number_or_none,
  caption_age_p95_ms: number_or_none,
  step_p50_ms: number_or_none,
  step_p95_ms: number_or_none,
  state_bytes: count,
  ask_p50_ms: number_or_none,
  ask_p95_ms: number_or_none,
  frames: count,
  fed: count,
  still: count,
  /** Lines that the service held back because they repeat. */
  novelty: count,
  failed: count,
  /** Seconds of video a second. */
  speed: number_or_none,
});

export const report_schema = z.object({
  format: z.literal(report_format),
  format_version: z.literal(report_version),
  made_at: z.iso.datetime(),
  subject: z.object({
    kind: z.enum(["service", "captions"]),
    name: z.string(),
    trained: z.boolean().nullable(),
    model_hash: z.string().nullable(),
    device: z.string().nullable(),
    version: z.string(),
  }),
  settings: z.object({
    seed: count,
    levels: z.array(z.string()),
    scenes: count,
    duration_s: z.number(),
    styles: z.array(z.string()),
    tick_rate_hz: z.number(),
    size_px: count,
    fps: count,
    gates: z.object({ change: z.boolean(), novelty: z.boolean() }),
    moments: count,
    fit_scenes: count,
  }),
  tasks: z.array(task),
  sections: z.array(section),
  stills: z.array(z.object({ name: z.string(), scenes: count, wording })),
  repeats: z.object({
    overall: accuracy,
    by_count: z.array(accuracy.extend({ at: z.number() })),
    log: accuracy,
  })
    .nullable(),
  cups: z.object({
    open: z.array(accuracy.extend({ at: z.number() })),
    hidden: z.array(accuracy.extend({ at: z.number() })),
    chance: z.number(),
  }).nullable(),
  polls: z.object({
    due: count,
    noticed: count,
    recall: share,
    latency_mean_s: number_or_none,
    false_alarms: count,
    watched_s: z.number(),
    false_alarms_per_hour: number_or_none,
  }).nullable(),
  recall: z.object({ state: recall, log: recall }).nullable(),
  travel: z.object({
    overall: accuracy,
    kinds: kinds_accuracy,
    /** From the memory that answered to the moment asked about. */
    gap_mean_s: z.number(),
    gap_max_s: z.number(),
  }).nullable(),
  endurance: z.object({
    duration_s: z.number(),
    parts: z.array(
      z.object({
        from_s: z.number(),
        until_s: z.number(),
        f1: share,
        rep_4: share,
        lines: count,
        repeats: count,
      }),
    ),
    longest_loop_lines: count,
    memory: z.array(
      z.object({ t_s: z.number(), rss_bytes: count, state_bytes: count, step_p95_ms: number_or_none }),
    ),
  }).nullable(),
  /** Questions answered while the scene ran, about now. */
  live: accuracy.nullable(),
  audits: z.object({ fork: audit.nullable(), causality: audit.nullable() }),
  machine: machine.nullable(),
});

export type Report = z.output<typeof report_schema>;
export type Section = z.output<typeof section>;
export type TaskLine = z.output<typeof task>;
export type Audit = z.output<typeof audit>;
export type Machine = z.output<typeof machine>;
export type MemorySample = NonNullable<Report["endurance"]>["memory"][number];
