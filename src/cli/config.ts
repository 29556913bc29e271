// gander config print: every option in force, with its reason and where it can be set.
import { loadConfig } from "../compose.ts";
import { printConfig } from "../config.ts";
import { readArguments, UsageError } from "./arguments.ts";
import type { Commands } from "./commands.ts";

export const config_help = `gander config print [--config FILE]

Prints every option in force as a commented configuration file. Secrets are not shown.
`;

// deno-lint-ignore require-await
export const config: Commands["config"] = async (words, io) => {
  const args = readArguments(words);
  if (args.positionals.join(" ") !== "print") throw new UsageError('config knows one word: "print"');
  io.out(printConfig(loadConfig(args.config_file, args.config)));
  return 0;
};
