// The report in a few lines of text, for a terminal. Must not know how anything is measured.
import type { Report, Section } from "./report.ts";

export function summaryText(report: Report): string {
  const { subject, stills, audits, repeats, cups, polls, recall, travel, endurance, live, machine } = report;
  const trained = subject.trained === false ? " (untrained)" : "";
  const lines = [`${subject.name}${trained}, Gander ${subject.version}`, ""];
  if (report.sections.length > 0) lines.push(...sectionTable(report.sections));
  for (const { name, scenes, wording } of stills) {
    lines.push(
      `stills ${name}: silent ${percent(wording.silent_tick_share)} of ticks, ` +
        `${number(wording.false_lines_per_min)} false lines a minute (${scenes} scenes)`,
    );
  }
  if (repeats) {
    lines.push(`repeats counted: ${percent(repeats.overall.accuracy)} of ${repeats.overall.asked}`);
  }
  if (cups) {
    const row = (some: typeof cups.open) =>
      some.map(({ at, accuracy }) => `${at}: ${percent(accuracy)}`).join(", ");
    lines.push(`shell game by swaps, open ${row(cups.open)}; hidden ${row(cups.hidden)}; chance 33 %`);
  }
  if (polls) {
    lines.push(
      `polled "tell me when": ${polls.noticed} of ${polls.due}, ` +
        `${number(polls.false_alarms_per_hour)} false alarms an hour`,
    );
  }
  if (recall) {
    const row = (some: typeof recall.state) =>
      some.points.map(({ age_s, accuracy }) => `${age_s} s ${percent(accuracy)}`).join(", ") ||
      "nothing to ask";
    lines.push(`recall by age, state: ${row(recall.state)}`, `recall by age, log: ${row(recall.log)}`);
  }
  if (travel) {
    lines.push(
      `time travel: ${percent(travel.overall.accuracy)} of ${travel.overall.asked}, ` +
        `memory ${travel.gap_mean_s.toFixed(2)} s older on average`,
    );
  }
  if (endurance) {
    const parts = endurance.parts.map(({ f1 }) => percent(f1)).join(", ");
    lines.push(
      `endurance ${endurance.duration_s} s: F1 by ${
        partName(endurance)
      } ${parts}; longest loop ${endurance.longest_loop_lines}`,
    );
  }
  if (live) lines.push(`live questions: ${percent(live.accuracy)} of ${live.asked}`);
  for (const [name, audit] of [["fork", audits.fork], ["causality", audits.causality]] as const) {
    if (audit) lines.push(`${name} audit ${audit.passed ? "passed" : "NOT passed"}: ${audit.note}`);
  }
  if (machine) {
    lines.push(
      `caption age p50 ${number(machine.caption_age_p50_ms)} ms, p95 ${
        number(machine.caption_age_p95_ms)
      } ms; ` +
        `answer p50 ${number(machine.ask_p50_ms)} ms; ${number(machine.speed)} s of video a second`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function sectionTable(sections: readonly Section[]): string[] {
  const head = [
    "",
    "F1",
    "95 %",
    "thing",
    "TimeDiff",
    "PAUC",
    "answers",
    "95 %",
    "frame diff",
    "timer",
    "shuffled",
  ];
  const rows = sections.map((one) => [
    one.name,
    percent(one.strict.f1),
    between(one.strict_f1_interval),
    percent(one.thing.f1),
    one.timing.time_diff_s === null ? "–" : `${one.timing.time_diff_s.toFixed(2)} s`,
    one.timing.pauc === null ? "–" : one.timing.pauc.toFixed(2),
    percent(one.answers.accuracy),
    between(one.answers_interval),
    percent(one.narrators.find(({ name }) => name === "frame_difference")?.f1 ?? null),
    percent(one.narrators.find(({ name }) => name === "fixed_timer")?.f1 ?? null),
    percent(one.shuffled?.f1 ?? null),
  ]);
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at]!.length)));
  return [head, ...rows].map((row) => row.map((cell, at) => cell.padEnd(widths[at]!)).join("  ").trimEnd());
}

export function percent(share: number | null): string {
  return share === null ? "–" : `${(100 * share).toFixed(1)} %`;
}

export function number(value: number | null): string {
  return value === null ? "–" : value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

export function between(interval: { low: number; high: number } | null): string {
  return interval ? `${(100 * interval.low).toFixed(1)}–${(100 * interval.high).toFixed(1)}` : "–";
}

function partName({ duration_s, parts }: NonNullable<Report["endurance"]>): string {
  return duration_s / parts.length === 3_600
    ? "hours"
    : `parts of ${Math.round(duration_s / parts.length)} s`;
}
