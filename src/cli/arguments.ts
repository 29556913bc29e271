// Words of a command line to options, strictly: an unknown flag is an error that names it. Must not know commands.
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { config_keys } from "../config.ts";
import { GanderError } from "../errors.ts";

export class UsageError extends GanderError {
  override readonly name = "UsageError";
  constructor(message: string) {
    super("usage", message);
  }
}

/** Flags that every command takes: `--port 1` for the option `port`, `--data-dir` for `data_dir`. */
const config_options: ParseArgsOptionsConfig = Object.fromEntries(
  config_keys.map((key) => [flagName(key), { type: "string" as const }]),
);

function flagName(key: string): string {
  return key.replaceAll("_", "-");
}

export interface Arguments {
  positionals: string[];
  /** Own flags of the command. */
  own: Record<string, string | boolean | undefined>;
  /** Flags that are options of the configuration, by option name. */
  config: Record<string, string>;
  config_file: string | undefined;
}

/** `own` flags: "string" takes a value, "boolean" does not. Throws UsageError. */
export function readArguments(
  args: readonly string[],
  own: Record<string, "string" | "boolean"> = {},
): Arguments {
  const options: ParseArgsOptionsConfig = {
    ...config_options,
    config: { type: "string" },
    data: { type: "string" },
    ...Object.fromEntries(Object.entries(own).map(([name, type]) => [name, { type }])),
  };
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split(". ")[0]!);
  }
  const values = parsed.values as Record<string, string | boolean | undefined>;
  const config: Record<string, string> = {};
  for (const key of config_keys) {
    const value = values[flagName(key)];
    if (typeof value === "string") config[key] = value;
  }
  if (typeof values.data === "string") config.data_dir = values.data;
  return {
    positionals: parsed.positionals,
    own: Object.fromEntries(Object.keys(own).map((name) => [name, values[name]])),
    config,
    config_file: values.config as string | undefined,
  };
}

const unit_ms: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "30s", "1.5h", "250ms"; a bare number is seconds. Throws UsageError. */
export function readDuration(text: string, name: string): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  if (!found) throw new UsageError(`${name}: "${text}" is not a duration like 30s, 5m or 1h`);
  return Number(found[1]) * unit_ms[found[2] ?? "s"]!;
}
