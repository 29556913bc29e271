// The configuration: every option with its default and its reason, from file, environment and flags, in that order
// of growing weight. All problems are reported together. Must not know what the options do.
import { z } from "zod";
import { ConfigError } from "./errors.ts";
import { stripComments } from "./json_comments.ts";
import { limits } from "./pipeline/limits.ts";

const flag = z.union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")]);
const list = z.union([
  z.array(z.string()),
  z.string().transform((text) => text.split(",").filter((part) => part !== "")),
]);

/** Seconds; as text "250ms", "5s" or "1m", a bare number is seconds. */
const duration = (least_s: number) =>
  z.union([z.number(), z.string().transform(readSeconds)]).pipe(z.number().min(least_s).max(3_600));

function readSeconds(text: string, context: z.RefinementCtx): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  if (found) return Number(found[1]) * { ms: 0.001, s: 1, m: 60, h: 3_600 }[found[2] ?? "s"]!;
  context.addIssue({ code: "custom", message: `"${text}" is not a duration like 5s or 1m` });
  return z.NEVER;
}

/** `.describe` is the reason a person reads in `gander config print`. */
export const config_schema = z.strictObject({
  host: z.string().min(1).default("127.0.0.1")
    .describe("Address to listen on. Anything but loopback demands a token."),
  port: z.coerce.number().int().min(0).max(65535).default(8088).describe("0 takes a free one."),
  token: z.string().min(16).optional()
    .describe("At least 16 characters. With it every request must show it (Bearer) or sign in."),
  token_file: z.string().optional().describe("Read the token from this file instead."),
  allowed_hosts: list.default([]).describe("Names beside the bound address that a Host header may carry."),
  allowed_origins: list.default([]).describe(
    "Origins beside the server's own that may change things or open sockets.",
  ),
  data_dir: z.string().min(1).default(defaultDataDir)
    .describe("Captions, snapshots and settings. One service at a time."),
  bundle: z.string().min(1).default("builtin").describe(
    "Model folder, or builtin: the small trained model that comes with Gander (builtin-seed, builtin-tiny: untrained).",
  ),
  prompt: z.string().min(1).max(2_000).optional().describe(
    'What a bundle of policy "refresh" is asked of each picture; {summary} and {language} are filled in.',
  ),
  language: z.string().regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, "must be a tag such as en or pt-BR")
    .optional()
    .describe('Language that captions are asked for in, policy "refresh".'),
  cadence: duration(0.1).optional().describe(
    'Time between two captions at the least, policy "refresh": 5s, 1m.',
  ),
  refresh: duration(1).optional().describe(
    'Time after which a picture that does not change is asked about again, policy "refresh": 30s, 5m.',
  ),
  device: z.enum(["auto", "cpu", "cuda"]).default("auto").describe("Where the RWKV step runs."),
  engine_threads: z.coerce.number().int().min(1).max(256).default(1)
    .describe("Threads of the RWKV step. One leaves room for ffmpeg and the vision."),
  engine_format: z.enum(["as_file", "f16", "bf16", "q8", "q4"]).default("as_file")
    .describe("What large matrices become while they are read, unless the file has fewer bits."),
  snapshot_numbers: z.enum(["fp32", "fp16"]).default("fp32")
    .describe(
      "fp16: snapshots of half the size; after a restart narration goes on within rounding, not bit for bit.",
    ),
  vision_threads: z.coerce.number().int().min(1).max(256).default(1).describe("Threads of the vision tower."),
  streams_max: z.coerce.number().int().min(1).max(10_000).default(limits.streams_max)
    .describe("Streams at once."),
  states_resident_max: z.coerce.number().int().min(4).max(65_536).default(1_024)
    .describe(
      "States in memory, taken at the start. More streams than that: the idle ones wait on disk, in data_dir.",
    ),
  fsync: z.enum(["full", "normal"]).default("full")
    .describe(
      "full: a caption shown survives a power cut. normal: it survives kill -9, the last second may not survive a power cut.",
    ),
  keep_days: z.coerce.number().min(0).max(36_500).default(0)
    .describe(
      "Days that captions and answers are kept; 0 keeps them all.",
    ),
  sources_files: z.enum(["auto", "yes", "no"]).default("auto")
    .describe("May a stream be a file of this machine? auto: only while bound to loopback."),
  sources_loopback: z.enum(["auto", "yes", "no"]).default("auto")
    .describe("May a stream come from this machine's own ports? auto: only while bound to loopback."),
  sources_private: flag.default(true)
    .describe("May a stream come from private networks, where most cameras are? Link-local addresses never."),
  sources_verify_tls: z.enum(["public", "always", "never"]).default("public")
    .describe(
      "Whose certificates must be trusted: by default those of public addresses; cameras sign their own.",
    ),
  log_level: z.enum(["info", "warn", "error", "silent"]).default("info").describe(
    "Least serious line that is logged.",
  ),
  log_format: z.enum(["text", "json"]).default("text").describe("Lines on stderr."),
});

export type Config = z.output<typeof config_schema>;
type Key = keyof Config;
export const config_keys = Object.keys(config_schema.shape) as Key[];
const secret_keys: readonly Key[] = ["token"];

function defaultDataDir(): string {
  const home = Deno.env.get("HOME") ?? ".";
  return `${Deno.env.get("XDG_DATA_HOME") || `${home}/.local/share`}/gander`;
}

/** GANDER_PORT for `port`, and so on. */
export function environmentName(key: string): string {
  return `GANDER_${key.toUpperCase()}`;
}

export interface ConfigSources {
  /** Text of the configuration file (JSON, comments allowed), and its path for messages. */
  file?: { path: string; text: string };
  environment: Record<string, string | undefined>;
  /** From the command line. */
  flags: Record<string, unknown>;
  readTextFile(path: string): string;
}

/** Throws ConfigError with every problem. */
export function readConfig({ file, environment, flags, readTextFile }: ConfigSources): Config {
  const problems: string[] = [];
  let merged: Record<string, unknown> = {};
  if (file) {
    try {
      const parsed: unknown = JSON.parse(stripComments(file.text));
      if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) {
        throw new Error("not an object");
      }
      merged = { ...parsed };
    } catch (error) {
      problems.push(`${file.path}: ${(error as Error).message}`);
    }
  }
  for (const key of config_keys) {
    const value = environment[environmentName(key)];
    if (value !== undefined && value !== "") merged[key] = value;
  }
  for (const name of Object.keys(environment)) {
    if (!name.startsWith("GANDER_")) continue;
    const key = name.slice("GANDER_".length).toLowerCase();
    if (!(config_keys as string[]).includes(key)) problems.push(`${name}: there is no such option`);
  }
  for (const [key, value] of Object.entries(flags)) if (value !== undefined) merged[key] = value;
  if (typeof merged.token_file === "string" && merged.token === undefined) {
    try {
      merged.token = readTextFile(merged.token_file).trim();
    } catch (error) {
      problems.push(`token_file: ${(error as Error).message}`);
    }
  }
  const parsed = config_schema.safeParse(merged);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const where = issue.path.join(".") ||
        (issue.code === "unrecognized_keys" ? issue.keys.join(", ") : "configuration");
      problems.push(`${where}: ${issue.message}`);
    }
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return parsed.data;
}

/** The configuration in force as commented JSON; secrets are named, not shown. */
export function printConfig(config: Config): string {
  const lines = config_keys.map((key) => {
    const value = secret_keys.includes(key) && config[key] !== undefined ? "(set)" : config[key];
    const reason = config_schema.shape[key].description ?? "";
    const shown = value === undefined ? `// "${key}": not set` : `"${key}": ${JSON.stringify(value)},`;
    return `  // ${reason} Environment: ${environmentName(key)}\n  ${shown}\n`;
  });
  return `{\n${lines.join("\n")}}\n`;
}
