// The report as one page that needs nothing else: no network, no script. Must not know how anything is measured.
import type { Report, Section } from "./report.ts";
import { between, number, percent } from "./summary.ts";
import { barPlot, curvePlot, escapeText } from "./svg.ts";

const style =
  `body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#1d2430}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.2rem;border-bottom:1px solid #d5dae2}h3{font-size:1rem}
table{border-collapse:collapse;margin:.6rem 0}td,th{padding:.15rem .7rem;text-align:right;border-bottom:1px solid #e6e9ee}
td:first-child,th:first-child{text-align:left}svg{max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:#1d2430}
.own{fill:#2f6fd6}.beside{fill:#b8c2d0}.grid{stroke:#e6e9ee}.whisker{stroke:#1d2430;stroke-width:2}.note{color:#5a6472}`;

const own_colour = "#2f6fd6", other_colour = "#d0762f";

export function reportPage(report: Report): string {
  const { subject, settings } = report;
  const title = `${escapeText(subject.name)}: evaluation`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><style>${style}</style>` +
    `<h1>${title}</h1><p class="note">${
      escapeText(
        [
          report.made_at,
          `Gander ${subject.version}`,
          subject.trained === false ? "untrained" : "",
          `${settings.scenes} scenes of ${settings.levels.join(", ")}, seed ${settings.seed}`,
          `${settings.size_px} px, ${settings.fps} fps, ${settings.tick_rate_hz} ticks a second`,
          `art ${settings.styles.join(", ")}`,
        ].filter((part) => part !== "").join(" · "),
      )
    }</p>` +
    report.sections.map(sectionPart).join("") + stillsPart(report) + memoryPart(report) +
    endurancePart(report) +
    machinePart(report) + tasksPart(report);
}

function sectionPart(one: Section): string {
  const { timing, wording } = one;
  const numbers: [string, string][] = [
    ["events told / happened", `${one.strict.told} / ${one.strict.true}`],
    ["precision / recall", `${percent(one.strict.precision)} / ${percent(one.strict.recall)}`],
    ["F1, everything right within 2 s", `${percent(one.strict.f1)} (${between(one.strict_f1_interval)})`],
    ["F1, kind and object right", percent(one.thing.f1)],
    ["TimeDiff", timing.time_diff_s === null ? "–" : `${timing.time_diff_s.toFixed(2)} s`],
    [
      "early share, mean early, mean late",
      [
        percent(timing.early_share),
        seconds(timing.early_mean_s),
        seconds(timing.late_mean_s),
      ].join(", "),
    ],
    [
      "told within 1 / 2 / 3 s",
      Object.values(timing.trigger_accuracy).map(percent).join(" / "),
    ],
    ["PAUC", timing.pauc === null ? "–" : timing.pauc.toFixed(3)],
    [
      "Jaccard, redundant, missed",
      [timing.jaccard, timing.redundant_share, timing.missed_share].map(percent).join(", "),
    ],
    ["silent ticks", percent(wording.silent_tick_share)],
    [
      "lines, words, false lines a minute",
      [
        wording.lines_per_min,
        wording.words_per_min,
        wording.false_lines_per_min,
      ].map(number).join(", "),
    ],
    [
      "repeats, rep-4, longest loop",
      `${percent(wording.repeat_share)}, ${percent(wording.rep_4)}, ${wording.longest_loop_lines}`,
    ],
    [
      "answers",
      `${percent(one.answers.accuracy)} (${between(one.answers_interval)}) of ${one.answers.asked}`,
    ],
    ["answers from the caption log", percent(one.log_answers.accuracy)],
  ];
  const narrators = [
    { name: "this captioner", value: one.strict.f1, interval: one.strict_f1_interval, own: true },
    ...one.narrators.map(({ name, f1 }) => ({ name: name.replaceAll("_", " "), value: f1 })),
    { name: "another scene's lines", value: one.shuffled?.f1 ?? null },
    { name: "oracle", value: one.oracle[0]?.f1 ?? null },
  ];
  const answerers = [
    { name: "this captioner", value: one.answers.accuracy, interval: one.answers_interval, own: true },
    { name: "its caption log", value: one.log_answers.accuracy },
    ...one.answerers.map(({ name, overall }) => ({
      name: name.replaceAll("_", " "),
      value: overall.accuracy,
    })),
  ];
  return `<h2>${escapeText(one.name)}: ${one.scenes} scenes</h2>${table(["", ""], numbers)}` +
    `<h3>F1 beside baselines</h3>${barPlot(narrators)}` +
    `<h3>By kind of event</h3>${
      table(
        ["kind", "happened", "told", "precision", "recall", "F1"],
        Object.entries(one.kinds).map(([kind, rates]) => [
          kind,
          String(rates.true),
          String(rates.told),
          ...[rates.precision, rates.recall, rates.f1].map(percent),
        ]),
      )
    }` +
    `<h3>An oracle that is late</h3>${
      curvePlot([
        {
          name: "F1",
          colour: own_colour,
          points: one.oracle.map(({ delay_s, f1 }) => ({ x: delay_s, y: f1 })),
        },
        {
          name: "PAUC",
          colour: other_colour,
          points: one.oracle.map(({ delay_s, pauc }) => ({ x: delay_s, y: pauc })),
        },
      ], "delay, s")
    }` +
    (one.answers.asked === 0 ? "" : `<h3>Answers beside baselines</h3>${barPlot(answerers)}` +
      `<h3>By kind of question</h3>${answerTable(one)}`);
}

function answerTable(one: Section): string {
  const head = [
    "kind",
    "asked",
    "answers",
    "caption log",
    ...one.answerers.map(({ name }) => name.replaceAll("_", " ")),
  ];
  return table(
    head,
    Object.entries(one.answer_kinds).map(([kind, { asked, accuracy }]) => [
      kind.replaceAll("_", " "),
      String(asked),
      percent(accuracy),
      percent(one.log_answer_kinds[kind]?.accuracy ?? null),
      ...one.answerers.map(({ kinds }) => percent(kinds[kind]?.accuracy ?? null)),
    ]),
  );
}

function stillsPart({ stills }: Report): string {
  if (stills.length === 0) return "";
  const rows = stills.map(({ name, scenes, wording }) => [
    name,
    String(scenes),
    percent(wording.silent_tick_share),
    number(wording.false_lines_per_min),
  ]);
  return `<h2>Still scenes</h2>${table(["", "scenes", "silent ticks", "false lines a minute"], rows)}`;
}

function memoryPart({ recall, repeats, cups, polls, travel, live }: Report): string {
  const parts: string[] = [];
  if (recall && recall.state.points.length > 0) {
    const points = (of: typeof recall.state) =>
      of.points.map(({ age_s, accuracy }) => ({ x: age_s, y: accuracy }));
    parts.push(
      `<h3>Was there ever one? By how long it is gone (chance 0.5)</h3>` + curvePlot(
        [
          { name: "state", colour: own_colour, points: points(recall.state) },
          { name: "caption log", colour: other_colour, points: points(recall.log) },
        ],
        "age, s",
        true,
      ),
    );
  }
  if (cups) {
    const points = (of: typeof cups.open) => of.map(({ at, accuracy }) => ({ x: at, y: accuracy }));
    parts.push(
      "<h3>Shell game, by swaps (chance 0.33)</h3>" + curvePlot([
        { name: "open", colour: own_colour, points: points(cups.open) },
        { name: "hidden", colour: other_colour, points: points(cups.hidden) },
      ], "swaps"),
    );
  }
  const rows: string[][] = [];
  if (repeats) {
    rows.push(["repeats counted", percent(repeats.overall.accuracy), `of ${repeats.overall.asked}`]);
  }
  if (repeats) rows.push(["the same from the caption log", percent(repeats.log.accuracy), ""]);
  if (travel) {
    const gap = `of ${travel.overall.asked}; memory ${travel.gap_mean_s.toFixed(2)} s older, at most ${
      travel.gap_max_s.toFixed(2)
    } s`;
    rows.push(["any moment of the past", percent(travel.overall.accuracy), gap]);
  }
  if (live) rows.push(["asked while it ran", percent(live.accuracy), `of ${live.asked}`]);
  if (polls) {
    const more = `${seconds(polls.latency_mean_s)} late, ${
      number(polls.false_alarms_per_hour)
    } false alarms an hour`;
    rows.push([`polled: ${polls.noticed} of ${polls.due} noticed`, percent(polls.recall), more]);
  }
  if (rows.length > 0) parts.push(table(["", "", ""], rows));
  return parts.length === 0 ? "" : `<h2>Memory</h2>${parts.join("")}`;
}

function endurancePart({ endurance }: Report): string {
  if (!endurance) return "";
  const memory = endurance.memory.map(({ t_s, rss_bytes, state_bytes, step_p95_ms }) => [
    `${t_s.toFixed(0)} s`,
    `${(rss_bytes / 2 ** 20).toFixed(0)} MiB`,
    `${state_bytes}`,
    number(step_p95_ms),
  ]);
  return `<h2>Endurance: ${endurance.duration_s} s</h2>` + curvePlot([
    {
      name: "F1",
      colour: own_colour,
      points: endurance.parts.map(({ until_s, f1 }) => ({ x: Math.round(until_s), y: f1 })),
    },
    {
      name: "rep-4",
      colour: other_colour,
      points: endurance.parts.map(({ until_s, rep_4 }) => ({ x: Math.round(until_s), y: rep_4 })),
    },
  ], "until, s") + table(["video", "process", "state, bytes", "tick p95, ms"], memory);
}

function machinePart({ machine, audits }: Report): string {
  const rows: string[][] = [];
  for (const [name, audit] of Object.entries(audits)) {
    if (audit) rows.push([`${name} audit`, `${audit.passed ? "passed" : "NOT passed"}: ${audit.note}`]);
  }
  if (machine) {
    rows.push([
      "caption age p50, p95",
      `${number(machine.caption_age_p50_ms)}, ${number(machine.caption_age_p95_ms)} ms`,
    ]);
    rows.push(["tick p50, p95", `${number(machine.step_p50_ms)}, ${number(machine.step_p95_ms)} ms`]);
    rows.push(["answer p50, p95", `${number(machine.ask_p50_ms)}, ${number(machine.ask_p95_ms)} ms`]);
    rows.push(["seconds of video a second", number(machine.speed)]);
    rows.push(["frames: offered, fed, still", [machine.frames, machine.fed, machine.still].join(", ")]);
    rows.push(["lines held back as repeats", String(machine.novelty)]);
    rows.push(["state", `${machine.state_bytes} bytes`]);
  }
  return rows.length === 0 ? "" : `<h2>Laws and machine</h2>${table(["", ""], rows)}`;
}

function tasksPart({ tasks }: Report): string {
  const rows = tasks.map((
    { task, title, status, note },
  ) => [`${task} ${title}`, status.replaceAll("_", " "), note]);
  return `<h2>Tasks</h2>${table(["", "", ""], rows)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeText(cell)}</${tag}>`).join("")}</tr>`;
  const top = head.some((cell) => cell !== "") ? line(head, "th") : "";
  return `<table>${top}${rows.map((row) => line(row, "td")).join("")}</table>`;
}

function seconds(value: number | null): string {
  return value === null ? "–" : `${value.toFixed(2)} s`;
}
