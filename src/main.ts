// gander: a command and its words. Everything is wired in compose.ts.
import { ask, ask_help } from "./cli/ask.ts";
import { UsageError } from "./cli/arguments.ts";
import { bench_help, benchCommand } from "./cli/bench.ts";
import type { CommandName, Commands } from "./cli/commands.ts";
import { config, config_help } from "./cli/config.ts";
import { describe, describe_help } from "./cli/describe.ts";
import { doctor, doctor_help } from "./cli/doctor.ts";
import { evalCommand } from "./cli/eval.ts";
import { eval_help } from "./cli/eval_options.ts";
import { type Io, openIo } from "./cli/io.ts";
import { model_help, modelCommand } from "./cli/model.ts";
import { demo, demo_help, serve, serve_help } from "./cli/serve.ts";
import { trainCommand, trainHelp } from "./cli/train.ts";
import { watch, watch_help } from "./cli/watch.ts";
import { world_help, worldCommand } from "./cli/world.ts";
import { art_folders, builtinBundle, compose, library_path, train_library_path } from "./compose.ts";
import { GanderError } from "./errors.ts";
import { version } from "./version.ts";

const commands: Commands = {
  demo,
  serve,
  watch,
  ask,
  describe,
  model: (words, io) => modelCommand([...words], { ...io, library_path, default_bundle: builtinBundle }),
  world: worldCommand(art_folders),
  eval: evalCommand(art_folders),
  train: trainCommand({ library_path: train_library_path, art: art_folders }),
  bench: benchCommand(library_path),
  doctor,
  config,
};

const helps: Record<CommandName, string | ((words: readonly string[]) => string)> = {
  demo: demo_help,
  serve: serve_help,
  watch: watch_help,
  ask: ask_help,
  describe: describe_help,
  model: model_help,
  world: world_help,
  eval: eval_help,
  train: trainHelp,
  bench: bench_help,
  doctor: doctor_help,
  config: config_help,
};

const overview = `gander ${version}: watches live video and says what happens.

  gander demo              a sample clip, captions, and the dashboard
  gander serve             the service and its dashboard
  gander watch SOURCE      captions of one source in the terminal
  gander ask STREAM TEXT   a question to a running service
  gander describe IMAGE    what a model says about pictures
  gander model …           a model: info, logits, import of released weights
  gander eval              how well a model narrates and answers, beside blind baselines
  gander train …           train a tower, a language model, a narrator
  gander bench …           what a model costs on this machine
  gander world …           synthetic video with labels: scripts, events, files
  gander doctor            what works on this machine, and why the rest does not
  gander config print      every option in force
  gander test              every test that this machine can run

gander COMMAND --help says more.
`;

async function run(words: readonly string[], io: Io): Promise<number> {
  const [name = "", ...rest] = words;
  if (["", "help", "--help", "-h"].includes(name)) {
    io.out(overview);
    return name === "" ? 2 : 0;
  }
  if (name === "--version" || name === "version") {
    io.out(`${version}\n`);
    return 0;
  }
  if (!Object.hasOwn(commands, name)) {
    throw new UsageError(`there is no command "${name}"; see gander --help`);
  }
  const command = name as CommandName;
  if (rest.includes("--help") || rest.includes("-h")) {
    const help = helps[command];
    io.out(typeof help === "string" ? help : help(rest));
    return 0;
  }
  return await commands[command](rest, io, compose);
}

const io = openIo();
try {
  Deno.exit(await run(Deno.args, io));
} catch (error) {
  // What a person can act on is one sentence; a bug keeps its stack.
  const known = error instanceof GanderError || typeof (error as { code?: unknown }).code === "string";
  io.err(`gander: ${known ? (error as Error).message : (error as Error).stack ?? error}\n`);
  Deno.exit(error instanceof UsageError || (error as { code?: string }).code === "config_invalid" ? 2 : 1);
}
