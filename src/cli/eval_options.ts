// The words of `gander eval` as settings. Must not know how anything is done.
import { held_out_style, training_styles } from "../world/art.ts";
import { type Level, levels } from "../world/levels.ts";
import { eval_limits } from "../eval/limits.ts";
import { default_tasks, task_names, type TaskName } from "../eval/tasks.ts";
import { readArguments, readDuration, UsageError } from "./arguments.ts";

export const eval_help = `gander eval [BUNDLE] [options]

Scores a model on scenes whose events are known. It plays real video files through the service itself, and asks it
questions. docs/evaluation.md says what every number means.

  --level L1|L2|L3|all   difficulty (default: all)
  --scenes N             scenes of each level (default: 8)
  --for 60s              length of each
  --style NAME           art style; --held-out is the one that no model is trained on
  --seed N               other scenes (default: 1)
  --tasks T1,T2,…        default: all but T12, which is the long one (--endurance 30m says how long)
  --moments N            moments of a scene at which every question is asked (default: 4)
  --script FILE          your own scene instead of invented ones; may be repeated
  --captions FILE        another captioner's lines and answers about --script, instead of a model; may be repeated
  --write-questions      print the questions about --script, one JSON object a line, and end
  --size 192 --fps 15    of the video files
  --no-change-gate       feed still frames too; --no-novelty-gate: publish repeats too
  --json FILE            the report; - is standard output
  --html FILE            the same to look at, in one file
  --keep DIR             keep videos, scripts and captions there
`;

const own = {
  ...{ level: "string", scenes: "string", for: "string", style: "string", seed: "string" } as const,
  ...{ tasks: "string", moments: "string", endurance: "string", size: "string", fps: "string" } as const,
  ...{ json: "string", html: "string", keep: "string", model: "string" } as const,
  ...{ "held-out": "boolean", "write-questions": "boolean" } as const,
  ...{ "no-change-gate": "boolean", "no-novelty-gate": "boolean" } as const,
} as const;

export interface EvalOptions {
  levels: Level[];
  scenes: number;
  duration_s: number;
  endurance_s: number;
  styles: readonly string[];
  seed: number;
  tasks: ReadonlySet<TaskName>;
  moments: number;
  size_px: number;
  fps: number;
  gates: { change: boolean; novelty: boolean };
  scripts: string[];
  captions: string[];
  write_questions: boolean;
  json: string | undefined;
  html: string | undefined;
  keep: string | undefined;
  config: Record<string, string>;
  config_file: string | undefined;
}

export function readEvalOptions(words: readonly string[]): EvalOptions {
  const scripts: string[] = [], captions: string[] = [];
  const rest = takeRepeated(takeRepeated(words, "--script", scripts), "--captions", captions);
  const args = readArguments(rest, own);
  const text = (name: keyof typeof own) => args.own[name] as string | undefined;
  const count = (name: keyof typeof own, otherwise: number, min: number, max: number) => {
    const value = Number(text(name) ?? otherwise);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new UsageError(`eval: --${name} is a whole number from ${min} to ${max}`);
  };
  if (args.positionals.length > 1) {
    throw new UsageError(`eval: "${args.positionals[1]}" is one word too many`);
  }
  const bundle = text("model") ?? args.positionals[0];
  if (captions.length > 0 && captions.length !== scripts.length) {
    throw new UsageError("eval: every --captions FILE goes with one --script FILE, in the same order");
  }
  if (args.own["write-questions"] && scripts.length === 0) {
    throw new UsageError("eval: --write-questions needs a --script FILE");
  }
  const size_px = count("size", 192, 32, 1024);
  if (size_px % 2 > 0) throw new UsageError("eval: --size is an even number");
  return {
    levels: readLevels(text("level") ?? "all"),
    scenes: count("scenes", 8, 1, eval_limits.scenes_max),
    duration_s: readLength(text("for") ?? "60s", "--for"),
    endurance_s: readLength(text("endurance") ?? "30m", "--endurance"),
    styles: readStyles(text("style"), args.own["held-out"] === true),
    seed: count("seed", 1, 0, 1_000_000),
    tasks: readTasks(text("tasks")),
    moments: count("moments", 4, 0, 100),
    size_px,
    fps: count("fps", 15, 2, 60),
    gates: { change: !args.own["no-change-gate"], novelty: !args.own["no-novelty-gate"] },
    ...{ scripts, captions, write_questions: args.own["write-questions"] === true },
    ...{ json: text("json"), html: text("html"), keep: text("keep") },
    config: { ...args.config, ...(bundle !== undefined && { bundle }) },
    config_file: args.config_file,
  };
}

/** Out of the words, what stands behind every `--name`. */
function takeRepeated(words: readonly string[], name: string, into: string[]): string[] {
  const rest: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word.startsWith(`${name}=`)) into.push(word.slice(name.length + 1));
    else if (word !== name) rest.push(word);
    else if (words[++at] === undefined) throw new UsageError(`eval: ${name} which FILE?`);
    else into.push(words[at]!);
  }
  return rest;
}

function readLevels(text: string): Level[] {
  const known = Object.keys(levels) as Level[];
  if (text === "all") return known;
  if (known.includes(text as Level)) return [text as Level];
  throw new UsageError(`eval: --level is ${known.join(", ")} or all`);
}

function readLength(text: string, name: string): number {
  const duration_s = readDuration(text, name) / 1000;
  if (duration_s >= 10 && duration_s <= 86_400) return duration_s;
  throw new UsageError(`eval: ${name} is from 10s to 1d`);
}

function readStyles(name: string | undefined, held_out: boolean): readonly string[] {
  if (held_out) return [held_out_style];
  const known = [...training_styles, held_out_style];
  if (name === undefined) return training_styles;
  if (known.includes(name)) return [name];
  throw new UsageError(`eval: --style is one of ${known.join(", ")}`);
}

function readTasks(text: string | undefined): ReadonlySet<TaskName> {
  if (text === undefined) return new Set(default_tasks);
  const names = text.split(",").map((name) => name.trim().toUpperCase());
  const unknown = names.find((name) => !(task_names as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`eval: --tasks has ${task_names.join(", ")}, not "${unknown}"`);
  }
  return new Set(names as TaskName[]);
}
