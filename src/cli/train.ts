// `gander train`: the stages of training. Owns the words of the command line and what is wired to the stages: the
// trainer's library, the decoder of picture files, the art of the synthetic world.
import { parseArgs } from "node:util";
import { openTrainer } from "../../ffi/mod.ts";
import { decodePicture } from "../../streams/mod.ts";
import { type FlagWords, type RunFlag, runFlagsHelp, train_run_flags } from "../train/flags.ts";
import { text_flags, visual_flags } from "../train/llava/flags.ts";
import { trainFinetune, trainPretrain, visual_run_flags } from "../train/llava/train_visual.ts";
import { sayOn } from "../train/progress.ts";
import type { RunEnd } from "../train/run.ts";
import { stream_flags, stream_run_flags, trainStream } from "../train/stream/command.ts";
import { text_run_flags, trainLm } from "../train/text/train_lm.ts";
import { tower_flags, tower_run_flags, trainTower } from "../train/tower/command.ts";
import { UsageError } from "./arguments.ts";
import type { Command } from "./commands.ts";
import type { Io } from "./io.ts";
import { watchVideo } from "./train_video.ts";
import { type ArtFolders, prepareArt } from "./world_art.ts";

interface Place {
  library_path: string;
  art: ArtFolders;
}

interface TrainStage {
  about: string;
  flags: readonly RunFlag[];
  run_flags: Readonly<Record<string, string>>;
  run(words: FlagWords, ports: ReturnType<typeof openPorts>): Promise<RunEnd>;
}

const stages: Record<string, TrainStage> = {
  tower: {
    about: "a vision tower: pictures and captions find each other, and things are found in pictures",
    ...{ flags: tower_flags, run_flags: tower_run_flags, run: trainTower },
  },
  lm: {
    about: "an RWKV language model, on text",
    flags: text_flags,
    run_flags: text_run_flags,
    run: trainLm,
  },
  pretrain: {
    about: "stage 1: a projector between a tower and a language model, which stay as they are",
    ...{ flags: visual_flags, run_flags: visual_run_flags.pretrain, run: trainPretrain },
  },
  finetune: {
    about: "stage 2: projector and language model, on conversations about pictures (LLaVA format)",
    ...{ flags: visual_flags, run_flags: visual_run_flags.finetune, run: trainFinetune },
  },
  stream: {
    about: "stage 3: when to speak and what to say, tick by tick, on the synthetic world or your own videos",
    ...{ flags: stream_flags, run_flags: stream_run_flags, run: trainStream },
  },
};

export const train_help =
  `gander train STAGE [--flag value …]      train a model; a run found in --proj_dir goes on
${Object.entries(stages).map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`).join("\n")}

gander train STAGE --help lists the flags. Needs libtorch, which the launcher installs and builds with.
`;

export function trainCommand(place: Place): Command {
  return async (words, io) => {
    const [name = "", ...rest] = words;
    const stage = Object.hasOwn(stages, name) ? stages[name]! : undefined;
    if (!stage) {
      throw new UsageError(
        `train: ${name === "" ? "which stage?" : `there is no stage "${name}";`} it is one of ` +
          `${Object.keys(stages).join(", ")}`,
      );
    }
    const { finished, step } = await stage.run(readWords(name, stage, rest), openPorts(place, io));
    io.err(
      finished
        ? `${name}: done, ${step} steps\n`
        : `${name}: stopped at step ${step}; the same command goes on\n`,
    );
    return finished ? 0 : 130;
  };
}

/** Help of one stage, or of all in a few words. */
export function trainHelp(words: readonly string[]): string {
  const stage = Object.hasOwn(stages, words[0] ?? "") ? stages[words[0]!] : undefined;
  if (!stage) return train_help;
  const own = stage.flags.map(({ name, initial, meaning }) =>
    `  --${name.padEnd(24)} ${meaning}${initial === "" ? "" : ` (${initial})`}`
  );
  return `gander train ${words[0]}: ${stage.about}\n\n${own.join("\n")}\n\nThe run:\n${
    runFlagsHelp(stage.run_flags)
  }`;
}

const run_flag_names = train_run_flags.map(({ name }) => name);

/** A flag may be written with - or _. */
function readWords(name: string, { flags }: TrainStage, args: readonly string[]): FlagWords {
  const known = [
    ...flags.map((flag) => flag.name),
    ...run_flag_names,
    "vision_tower_name",
    "vision_tower_path",
  ];
  const spelt = args.map((word) =>
    word.startsWith("--")
      ? word.replace(/^--[^=]+/, (flag) => `--${flag.slice(2).replaceAll("-", "_")}`)
      : word
  );
  try {
    const { values } = parseArgs({
      args: spelt,
      options: Object.fromEntries(known.map((flag) => [flag, { type: "string" as const }])),
      strict: true,
    });
    return values as FlagWords;
  } catch (error) {
    throw new UsageError(`train ${name}: ${(error as Error).message.split(". ")[0]}`);
  }
}

function openPorts({ library_path, art }: Place, io: Io) {
  return {
    signal: io.stop,
    say: sayOn(io.err, Deno.stderr.isTerminal()),
    decodePicture,
    watchVideo,
    openTrainer: (options: Omit<Parameters<typeof openTrainer>[0], "library_path">) =>
      openTrainer({ library_path, ...options }),
    async prepareArt() {
      await prepareArt(art, (line) => io.err(`${line}\n`));
      return { art_dir: art.sprites_dir };
    },
  };
}
