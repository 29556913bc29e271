// Which scenes an evaluation plays, which questions go with them, and what its baselines are fitted on. Must not know
// services, files or scores.
import { things } from "../world/vocabulary.ts";
import { training_styles } from "../world/art.ts";
import { inventScene, test_seed_first } from "../world/author.ts";
import type { Level } from "../world/levels.ts";
import type { SpriteOf } from "../world/renderer.ts";
import type { Script } from "../world/script.ts";
import { fitAnswerers } from "../eval/answer_baselines.ts";
import { playCups } from "../eval/cups.ts";
import { type Exam, examOf, type ExamQuestion, type Group, type QuestionSet } from "../eval/exam.ts";
import { frameChanges } from "../eval/frame_changes.ts";
import { eval_limits } from "../eval/limits.ts";
import { fitNarrators } from "../eval/narration_baselines.ts";
import { planQuestions } from "../eval/question_plan.ts";
import { playRepeats } from "../eval/repeats.ts";
import type { Fitted } from "../eval/section.ts";
import type { TaskName } from "../eval/tasks.ts";
import type { EvalOptions } from "./eval_options.ts";

export interface Scene {
  exam: Exam;
  /** Planned when it is known which moments the memory can go back to. */
  questions(settle: (t_s: number) => number): ExamQuestion[];
}

/** Seeds of one run are consecutive. */
const seeds_per_run = 1_000;
/** Seeds of training scenes for the baselines. */
const fit_seed_first = 700_000_000;
const swaps = [0, 1, 2, 4], repeat_times = [2, 3, 4, 5];

export function chooseScenes(options: EvalOptions): Scene[] {
  const { tasks, scenes, levels, styles, seed, duration_s } = options;
  const asked = (...some: TaskName[]) => some.some((task) => tasks.has(task));
  const first = test_seed_first + seed * seeds_per_run;
  const invent = (
    level: Level,
    at: number,
    more: { still?: boolean; length_s?: number; cast?: (t_s: number) => string[] } = {},
  ): Script =>
    inventScene({
      ...{ seed: first + at, level, styles, grammar: "test" },
      duration_s: more.length_s ?? duration_s,
      ...more.still === undefined ? {} : { still: more.still },
      ...more.cast === undefined ? {} : { cast: more.cast },
    });
  const chosen: Scene[] = [];
  const add = (group: Group, name: string, script: Script) =>
    chosen.push(sceneOf(examOf(name, group, script), options));
  for (const level of levels) {
    if (asked("T1", "T5", "T7", "T8", "T10")) {
      for (let at = 0; at < scenes; at++) add("narration", `${level.toLowerCase()}-${at}`, invent(level, at));
    }
    if (asked("T2")) {
      for (let at = 0; at < Math.ceil(scenes / 4); at++) {
        add("still", `${level.toLowerCase()}-still-${at}`, invent(level, at + scenes, { still: true }));
      }
    }
  }
  if (asked("T3")) {
    for (const [at, times] of repeat_times.slice(0, scenes).entries()) {
      const exam = playRepeats({ name: `repeats-${times}`, seed: seed * 16 + at, style: styles[0]!, times });
      chosen.push(sceneOf(exam, options));
    }
  }
  if (asked("T4")) chosen.push(...cupScenes(options));
  if (asked("T12")) {
    add(
      "long",
      "long",
      invent(levels.at(-1)!, 2 * scenes, { length_s: options.endurance_s, still: false, cast: longCast }),
    );
  }
  return chosen;
}

/**
 * In hours everything would come, and come again: a third of the things never does, which is needed to ask about, and a
 * third has seasons, one after the other, and is then gone for long.
 */
function longCast(t_s: number): string[] {
  const seasonal = things.filter((_, at) => at % 3 === 2);
  return things.filter((thing, at) => {
    if (at % 3 !== 2) return at % 3 === 1;
    const { every_s, length_s } = eval_limits.seasons;
    const begins_s = every_s * seasonal.indexOf(thing) / seasonal.length;
    return (t_s - begins_s + every_s) % every_s < length_s;
  }).map(({ name }) => name);
}

function cupScenes({ seed, styles, scenes }: EvalOptions): Scene[] {
  const rounds = Math.ceil(scenes / 8);
  return Array.from({ length: rounds }, (_, round) =>
    swaps.flatMap((count) =>
      [false, true].map((hidden) => {
        const name = `cups-${hidden ? "hidden" : "open"}-${count}-${round}`;
        const style = styles[round % styles.length]!;
        const { exam, questions } = playCups({ name, seed: seed * 64 + round, style, swaps: count, hidden });
        return { exam, questions: () => questions };
      })
    )).flat();
}

/** A scene with the questions that its group and the tasks ask for. */
export function sceneOf(exam: Exam, { tasks, moments }: Pick<EvalOptions, "tasks" | "moments">): Scene {
  const sets: Record<Group, QuestionSet[]> = {
    narration: [
      "moment",
      ...tasks.has("T7") ? ["recall"] as const : [],
      ...tasks.has("T10") ? ["travel"] as const : [],
      ...tasks.has("T5") ? ["poll"] as const : [],
    ],
    outside: ["moment", "recall", "travel"],
    ...{ still: [], cups: [], repeats: ["repeats"] },
    long: ["recall"],
  };
  return {
    exam,
    questions: (settle) => planQuestions(exam, { sets: sets[exam.group], moments, settle }),
  };
}

/** On training scenes of the same levels; pictures only with sprites. */
export function fitBaselines(
  levels: readonly Level[],
  rate_hz: number,
  spriteOf: SpriteOf | undefined,
): Fitted {
  const { fit_scenes, fit_scenes_seen, fit_duration_s } = eval_limits;
  const scenes = levels.flatMap((level) =>
    Array.from({ length: fit_scenes }, (_, at) => {
      const script = inventScene({
        ...{ seed: fit_seed_first + at, level, styles: training_styles, grammar: "train", still: false },
        duration_s: fit_duration_s,
      });
      const changes = spriteOf && at < fit_scenes_seen ? frameChanges(script, spriteOf) : undefined;
      return { exam: examOf(`fit-${level}-${at}`, "narration", script), ...(changes && { changes }) };
    })
  );
  const plan = { sets: ["moment"] as const, moments: 6, settle: (t_s: number) => t_s };
  return {
    narrators: fitNarrators(scenes, rate_hz),
    answerers: fitAnswerers(scenes.flatMap(({ exam }) => planQuestions(exam, plan))),
    rate_hz,
    changesOf: (exam) => spriteOf && frameChanges(exam.script, spriteOf),
  };
}
