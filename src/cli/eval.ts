// `gander eval`: plays scenes through the service, has them scored, writes the report. Owns its words and its order of
// things; scores are src/eval's.
import { basename } from "node:path";
import { assess, type Evidence } from "../eval/assess.ts";
import { eval_limits } from "../eval/limits.ts";
import { type Exam, examOf, type Given, type Sitting } from "../eval/exam.ts";
import { reportPage } from "../eval/page.ts";
import { questionLine, readOutside, sittingOutside } from "../eval/outside.ts";
import type { MemorySample, Report } from "../eval/report.ts";
import { summaryText } from "../eval/summary.ts";
import type { Level } from "../world/levels.ts";
import { levels as all_levels } from "../world/levels.ts";
import { readScript, type Script } from "../world/script.ts";
import { openSprites } from "../world/sprite_store.ts";
import { version } from "../version.ts";
import { UsageError } from "./arguments.ts";
import type { Command } from "./commands.ts";
import { auditCausality, auditForks } from "./eval_audits.ts";
import { EvalHouse, type Played, sittingOf } from "./eval_house.ts";
import { machineOf } from "./eval_machine.ts";
import { type EvalOptions, readEvalOptions } from "./eval_options.ts";
import { chooseScenes, fitBaselines, type Scene, sceneOf } from "./eval_scenes.ts";
import type { Io } from "./io.ts";
import { type ArtFolders, prepareArt } from "./world_art.ts";

/** Where nothing else says how often one can speak. */
const default_rate_hz = 2;
/** Samples of the memory over a long scene: as many, or more, so that no two are further apart. */
const memory_samples = 24, sample_every_s = 600;

export function evalCommand(folders: ArtFolders): Command {
  return async (words, io, compose) => {
    const options = readEvalOptions(words);
    if (options.keep !== undefined) await Deno.mkdir(options.keep, { recursive: true });
    const scenes = options.scripts.length > 0
      ? await Promise.all(options.scripts.map(async (path) => sceneOf(await loadExam(path), options)))
      : chooseScenes(options);
    if (scenes.length === 0) throw new UsageError("eval: none of these --tasks can be measured here");
    if (options.write_questions) {
      for (const { questions } of scenes) {
        for (const question of questions((t_s) => t_s)) io.out(`${questionLine(question)}\n`);
      }
      return 0;
    }
    await prepareArt(folders, (line) => io.err(`${line}\n`));
    const spriteOf = openSprites(folders.sprites_dir);
    let evidence: Omit<Evidence, "fitted" | "asked" | "made_at">;
    let rate_hz = default_rate_hz;
    if (options.captions.length > 0) evidence = await hearOutside(scenes, options);
    else {
      const house = await EvalHouse.open(options, io, compose, spriteOf);
      try {
        evidence = await playAll(house, scenes, options, io);
        rate_hz = evidence.settings.tick_rate_hz;
      } finally {
        await house.close();
      }
    }
    io.err("eval: scoring\n");
    const fitted = fitBaselines(levelsOf(scenes), rate_hz, spriteOf);
    const report = assess({ ...evidence, fitted, asked: options.tasks, made_at: new Date().toISOString() });
    write(report, options, io);
    return 0;
  };
}

function write(report: Report, { json, html }: EvalOptions, io: Io): void {
  const text = `${JSON.stringify(report, null, 1)}\n`;
  if (json === "-") io.out(text);
  else {
    if (json !== undefined) Deno.writeTextFileSync(json, text);
    io.out(summaryText(report));
  }
  if (html !== undefined) Deno.writeTextFileSync(html, reportPage(report));
}

async function playAll(house: EvalHouse, scenes: readonly Scene[], options: EvalOptions, io: Io) {
  const sittings: Sitting[] = [], all: Played[] = [], live: Given[] = [], memory: MemorySample[] = [];
  const audits: Report["audits"] = { fork: null, causality: null };
  let tick_rate_hz = default_rate_hz;
  for (const [at, scene] of scenes.entries()) {
    const { exam } = scene;
    const { name, group, script } = exam;
    io.err(`eval: ${at + 1} of ${scenes.length}: ${name}\n`);
    const video = await house.render(name, script);
    const long = group === "long";
    const count = Math.max(memory_samples, Math.ceil(script.duration_s / sample_every_s));
    const samples = long ? { count, duration_s: script.duration_s } : undefined;
    const played = await house.play({ name, video, snapshots: !long, ...(samples && { samples }) });
    const settle = (t_s: number) => played.moments_s.findLast((moment_s) => moment_s <= t_s + 1e-6) ?? t_s;
    const answers = await house.ask(name, scene.questions(settle));
    tick_rate_hz = house.gander.service.get(name).tick_rate_hz;
    await house.forget(name);
    const sitting = sittingOf(exam, played, answers);
    sittings.push(sitting);
    all.push(played);
    memory.push(...played.memory);
    if (options.keep !== undefined) keepSitting(options.keep, sitting);
    if (audits.fork === null && (group === "narration" || group === "outside")) {
      const forks = await auditForks(house, exam, video, played.captions);
      live.push(...forks.live);
      audits.fork = forks.audit;
      const other = scenes[(at + 1) % scenes.length]!.exam.script;
      audits.causality = await auditCausality(house, exam, other);
    }
    if (options.keep === undefined) await Deno.remove(video);
  }
  const { name, trained, model_hash, device } = house.gander.service.model;
  return {
    subject: { kind: "service" as const, name, trained, model_hash, device, version },
    settings: settingsOf(scenes, options, tick_rate_hz),
    ...{ sittings, live, memory, audits, machine: machineOf(all, sittings) },
  };
}

async function hearOutside(scenes: readonly Scene[], options: EvalOptions) {
  const sittings = await Promise.all(scenes.map(async ({ exam, questions }, at) => {
    const path = options.captions[at]!;
    const heard = readOutside(await readText(path));
    if ("problem" in heard) throw new UsageError(`eval: "${path}": ${heard.problem}`);
    return sittingOutside(exam, questions((t_s) => t_s), heard, default_rate_hz);
  }));
  return {
    subject: {
      ...{ kind: "captions" as const, name: basename(options.captions[0]!), version },
      ...{ trained: null, model_hash: null, device: null },
    },
    settings: settingsOf(scenes, options, default_rate_hz),
    ...{ sittings, live: [], memory: [], audits: { fork: null, causality: null }, machine: null },
  };
}

function settingsOf(
  scenes: readonly Scene[],
  options: EvalOptions,
  tick_rate_hz: number,
): Report["settings"] {
  const { seed, size_px, fps, gates, moments, duration_s } = options;
  return {
    ...{ seed, tick_rate_hz, size_px, fps, gates, moments, duration_s },
    levels: levelsOf(scenes),
    scenes: scenes.length,
    styles: [...new Set(scenes.map(({ exam }) => exam.script.style))],
    fit_scenes: levelsOf(scenes).length * eval_limits.fit_scenes,
  };
}

/** Of the scenes; those of other origin are measured against baselines fitted on all. */
function levelsOf(scenes: readonly Scene[]): Level[] {
  const known = Object.keys(all_levels) as Level[];
  const found = known.filter((level) => scenes.some(({ exam }) => exam.script.level === level));
  return found.length > 0 ? found : known;
}

async function loadExam(path: string): Promise<Exam> {
  let value: unknown;
  try {
    value = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new UsageError(`eval: cannot read "${path}": ${(error as Error).message}`);
  }
  const read = readScript(value);
  if ("problems" in read) {
    throw new UsageError(`eval: "${path}" is no scene script:\n  ${read.problems.join("\n  ")}`);
  }
  const script: Script = read.script;
  return examOf(nameOf(path), "outside", script);
}

/** Of a file, as the name of a stream. */
function nameOf(path: string): string {
  const name = basename(path).replace(/\.json$/, "").toLowerCase().replace(/[^a-z0-9-]+/g, "-");
  return name.replace(/^-+|-+$/g, "").slice(0, 40) || "scene";
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new UsageError(`eval: cannot read "${path}": ${(error as Error).message}`);
  }
}

/** What was said and answered, in the form that `--captions` reads. */
function keepSitting(dir: string, { exam, lines, answers }: Sitting): void {
  const rows = [
    ...lines.map(({ t_s, text }) => ({ t_s, text })),
    ...answers.map(({ question, text }) => ({ question: question.id, text })),
  ];
  Deno.writeTextFileSync(
    `${dir}/${exam.name}.captions.jsonl`,
    rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
  );
}
