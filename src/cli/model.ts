// `gander model`: info (what a bundle is), logits (what its weights compute), import (a checkpoint becomes a bundle).
// Owns words and output; must not know streams or HTTP.
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { NativeError } from "../../ffi/mod.ts";
import { GanderError } from "../errors.ts";
import { readBundle } from "../model/bundle.ts";
import { UsageError } from "./arguments.ts";
import { import_usage, importCommand } from "./model_import.ts";
import { describeBundle, infoText } from "./model_info.ts";
import { logitsOf, readTokens } from "./model_logits.ts";

export interface ModelIo {
  /** Results, as they are to appear: line ends included. */
  out(text: string): void;
  err(text: string): void;
  /** Path of librwkv. */
  library_path: string;
  /** Folder of the bundle to take when none is named. */
  default_bundle(): Promise<string>;
  /** Aborts when the person wants it to end. */
  stop?: AbortSignal;
}

const usage = `Usage:
  gander model info [DIR] [--json]                               what a bundle is; its files are verified
  gander model logits [--bundle DIR] --tokens 1,2,3 [--json]     logits after every token, from an empty state
  gander model import FILE... -o DIR [options]                   a released checkpoint becomes a bundle

${import_usage}`;

export const model_help = usage;

/** The exit status: 0, 1 when the bundle or the engine refuses, 2 when the words make no sense. */
export async function modelCommand(args: string[], io: ModelIo): Promise<number> {
  const [verb, ...rest] = args;
  try {
    if (verb === "info") return await info(rest, io);
    if (verb === "logits") return await logits(rest, io);
    if (verb === "import") return await importCommand(rest, io);
    if (verb === "--help" || verb === "help") return (io.out(usage), 0);
    throw new UsageError(
      verb === undefined ? "model: what? info, logits or import" : `model: unknown command "${verb}"`,
    );
  } catch (error) {
    if (!(error instanceof GanderError) && !(error instanceof NativeError)) throw error;
    io.err(`${error.message}\n`);
    if (!(error instanceof UsageError)) return 1;
    io.err(usage);
    return 2;
  }
}

async function info(args: string[], io: ModelIo): Promise<number> {
  const { values, positionals } = readWords(args, { json: { type: "boolean" } }, 1);
  const description = await describeBundle(await readBundle(positionals[0] ?? await io.default_bundle()));
  io.out(values.json ? `${JSON.stringify(description, null, 2)}\n` : infoText(description));
  return 0;
}

async function logits(args: string[], io: ModelIo): Promise<number> {
  const options = {
    bundle: { type: "string" },
    tokens: { type: "string" },
    json: { type: "boolean" },
  } as const;
  const { values } = readWords(args, options, 0);
  const tokens = readTokens(values.tokens as string | undefined);
  const bundle = await readBundle((values.bundle as string | undefined) ?? await io.default_bundle());
  const rows = logitsOf(bundle, tokens, io.library_path);
  const { vocab } = bundle.manifest.rwkv;
  // Row by row: 65,536 logits per token would not fit into one string for long inputs.
  let position = 0;
  for await (const row of rows) {
    if (!row.every(Number.isFinite)) {
      throw new NativeError("internal", `Logits at position ${position} are not finite`);
    }
    if (values.json) {
      const opening = position === 0
        ? `{"tokens":${JSON.stringify(tokens)},"vocab":${vocab},"logits":[`
        : ",";
      io.out(`${opening}\n[${row.join(",")}]`);
    } else {
      io.out(`${position} token ${tokens[position]}: ${row.join(" ")}\n`);
    }
    position++;
  }
  if (values.json) io.out("\n]}\n");
  return 0;
}

function readWords(args: string[], options: ParseArgsOptionsConfig, positionals_max: number) {
  let parsed;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split(". ")[0]);
  }
  const extra = parsed.positionals[positionals_max];
  if (extra !== undefined) throw new UsageError(`model: "${extra}" is one word too many`);
  return parsed;
}
