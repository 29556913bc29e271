// From what was said and answered to the whole report. Must not know services, files or pages.
import { accuracyBy, accuracyByKind, accuracyOf, tally } from "./answer_score.ts";
import { narrow, pairEvents, ratesOf } from "./event_score.ts";
import type { Given, Group, Sitting } from "./exam.ts";
import { eval_limits } from "./limits.ts";
import { scorePolls } from "./poll_score.ts";
import { recallOf } from "./recall_score.ts";
import { type MemorySample, type Report, report_format, report_version } from "./report.ts";
import { type Fitted, fromLog, scoreSection, wordingSums } from "./section.ts";
import { taskLines, type TaskName } from "./tasks.ts";
import { toldBy } from "./told.ts";
import { addWordings, scoreWording, wordingOf } from "./wording_score.ts";

export interface Evidence extends Pick<Report, "subject" | "settings" | "audits" | "machine"> {
  made_at: string;
  asked: ReadonlySet<TaskName>;
  sittings: readonly Sitting[];
  /** Of the long scene. */
  memory: readonly MemorySample[];
  /** Answered while a scene ran. */
  live: readonly Given[];
  fitted: Fitted;
}

export function assess(evidence: Evidence): Report {
  const { sittings, fitted, live } = evidence;
  const of = (...groups: Group[]) => sittings.filter(({ exam }) => groups.includes(exam.group));
  const scored = of("narration", "outside");
  const answers = (set: string) =>
    sittings.flatMap((sitting) => sitting.answers.filter(({ question }) => question.set === set));
  const logged = (set: string) =>
    sittings.flatMap((sitting) =>
      fromLog(sitting, sitting.answers.filter(({ question }) => question.set === set))
    );
  const [repeats, cups, recall, travel, polls] = [
    ...[answers("repeats"), answers("cups"), answers("recall"), answers("travel"), answers("poll")],
  ] as [Given[], Given[], Given[], Given[], Given[]];
  const [long] = of("long");
  const measured = new Set<TaskName>();
  const note = (task: TaskName, some: readonly unknown[]) => some.length > 0 && measured.add(task);
  const moments = answers("moment");
  note("T1", scored), note("T2", of("still")), note("T3", repeats), note("T4", cups), note("T5", polls);
  note("T7", [...recall, ...moments]), note("T8", moments), note("T10", travel), note("T12", of("long"));
  return {
    ...{ format: report_format, format_version: report_version, made_at: evidence.made_at },
    ...{ subject: evidence.subject, settings: evidence.settings },
    tasks: taskLines(evidence.asked, measured),
    sections: byLevel(scored).map(([name, some]) => scoreSection(name, some, fitted)),
    stills: byLevel(of("still")).map(([name, some]) => ({
      name,
      scenes: some.length,
      wording: wordingOf(addWordings(some.map(wordingSums))),
    })),
    repeats: repeats.length === 0 ? null : {
      overall: accuracyOf(tally(repeats)),
      by_count: accuracyBy(repeats, ({ depth }) => depth),
      log: accuracyOf(tally(logged("repeats"))),
    },
    cups: cups.length === 0 ? null : {
      open: accuracyBy(cups, ({ hidden, depth }) => hidden ? undefined : depth),
      hidden: accuracyBy(cups, ({ hidden, depth }) => hidden ? depth : undefined),
      chance: 1 / 3,
    },
    polls: polls.length === 0 ? null : scorePolls(series(sittings)),
    recall: recall.length === 0 ? null : { state: recallOf(recall), log: recallOf(logged("recall")) },
    travel: travel.length === 0 ? null : { ...travelled(travel) },
    endurance: long ? endured(long, evidence.memory) : null,
    live: live.length === 0 ? null : accuracyOf(tally(live)),
    ...{ audits: evidence.audits, machine: evidence.machine },
  };
}

/** One entry a level, and all together where there are several. */
function byLevel(sittings: readonly Sitting[]): [string, Sitting[]][] {
  const levels = [...new Set(sittings.map(({ exam }) => exam.script.level))].sort();
  const found = levels.map((level): [string, Sitting[]] => [
    level,
    sittings.filter(({ exam }) => exam.script.level === level),
  ]);
  return levels.length > 1 ? [...found, ["all", [...sittings]]] : found;
}

/** Every thing that was asked about again and again, by itself. */
function series(sittings: readonly Sitting[]): Given[][] {
  return sittings.flatMap(({ answers }) => {
    const polls = answers.filter(({ question }) => question.set === "poll");
    return [true, false].map((due) => polls.filter(({ question }) => (question.due_s !== undefined) === due))
      .filter((some) => some.length > 0);
  });
}

function travelled(given: readonly Given[]): NonNullable<Report["travel"]> {
  const gaps_s = given.map(({ question, at_s }) => Math.max(0, question.t_s - at_s));
  return {
    overall: accuracyOf(tally(given)),
    kinds: accuracyByKind(given),
    gap_mean_s: gaps_s.reduce((sum, gap_s) => sum + gap_s, 0) / gaps_s.length,
    gap_max_s: Math.max(...gaps_s),
  };
}

/** In equal parts, each scored by what happened and was told in it. */
function endured(
  { exam, lines, ticks }: Sitting,
  memory: readonly MemorySample[],
): NonNullable<Report["endurance"]> {
  const { duration_s } = exam.script;
  const told = toldBy(lines);
  const pairs = pairEvents(exam.events, told, "strict", narrow);
  const { endurance_parts, endurance_part_max_s } = eval_limits;
  const parts_count = Math.max(endurance_parts, Math.ceil(duration_s / endurance_part_max_s));
  const parts = Array.from({ length: parts_count }, (_, part) => {
    const from_s = duration_s * part / parts_count, until_s = duration_s * (part + 1) / parts_count;
    const inside = ({ t_s }: { t_s: number }) => t_s >= from_s && t_s < until_s;
    const some = lines.filter(inside);
    const wording = scoreWording(some, exam.events, {
      duration_s: until_s - from_s,
      ticks: ticks / parts_count,
    });
    const { f1 } = ratesOf({
      right: pairs.filter(({ event }) => inside(exam.events[event]!)).length,
      told: told.filter(inside).length,
      true: exam.events.filter(inside).length,
    });
    const { rep_4 } = wordingOf(wording);
    // A pair over the border of two parts counts where it happened.
    return {
      from_s,
      until_s,
      f1: f1 === null ? null : Math.min(1, f1),
      rep_4,
      lines: some.length,
      repeats: wording.repeats,
    };
  });
  const { loop_lines } = scoreWording(lines, exam.events, { duration_s, ticks });
  return { duration_s, parts, longest_loop_lines: loop_lines, memory: [...memory] };
}
