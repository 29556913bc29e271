// gander describe IMAGE...: asks the model of a bundle about pictures; the answer appears as it is said. Without
// pictures it is a question in words.
import { source_limits } from "../../streams/mod.ts";
import { loadConfig } from "../compose.ts";
import { openChat, planChat } from "../compose_chat.ts";
import { RequestError } from "../errors.ts";
import type { Turn } from "../pipeline/ports.ts";
import type { Described, DescribeRequest } from "../pipeline/surface.ts";
import { readArguments, UsageError } from "./arguments.ts";
import type { Commands } from "./commands.ts";
import { type Io, openLog } from "./io.ts";

export const describe_help = `gander describe IMAGE... [options]

  IMAGE                   a JPEG, PNG, WebP, GIF or BMP; several where the bundle was trained on several
  --bundle DIR            a bundle that was trained on pictures
  --prompt TEXT           what is asked; default: what the bundle asks. Without IMAGE: a question in words
  --system TEXT           said before everything
  --tokens-max N          tokens of the answer; default: the bundle's
  --temperature T         0 takes the likeliest word; default: the bundle's
  --top-p P               above 0, up to 1; default: the bundle's
  --seed N                another choice of words, where the temperature is above 0
  --official-padding      pads as the official evaluator of VisualRWKV 7 does, to compare answers: greedy, and slow
  --json                  the whole answer as JSON, with what was fed
  All options of "gander config print" that name the model or the log work too.
`;

const own_flags = {
  prompt: "string",
  system: "string",
  "tokens-max": "string",
  temperature: "string",
  "top-p": "string",
  seed: "string",
  "official-padding": "boolean",
  json: "boolean",
} as const;

export const describe: Commands["describe"] = async (words, io) => {
  const { positionals, own, config: flags, config_file } = readArguments(words, own_flags);
  const prompt = own.prompt as string | undefined;
  if (positionals.length === 0 && prompt === undefined) {
    throw new UsageError("describe takes IMAGE..., or --prompt for a question in words");
  }
  const config = loadConfig(config_file, { log_level: "warn", ...flags });
  const request = readRequest(own, positionals.length);
  // What is quickly refused comes before what takes long: no file is read that the model would not take, and no model is
  // loaded when a file cannot be read.
  await Promise.all(positionals.map(checkPictureFile));
  const plan = await planChat(config, request.turns);
  const pictures = await Promise.all(positionals.map(readPictureFile));
  await using opened = await openChat(plan, config, openLog(io, config));
  const { name, trained, limits_note } = opened.manifest;
  if (!trained) io.err(`gander: ${name} is untrained: its answers are noise. ${limits_note}\n`);
  const onText = own.json ? undefined : growing(io);
  const described = await opened.chat.describe({ ...request, pictures, onText, signal: io.stop });
  if (own.json) io.out(`${JSON.stringify({ model: name, ...described })}\n`);
  else {
    onText!(described.text);
    io.out("\n");
  }
  return tellEnd(described, io);
};

/** The first SIGINT ends the answer, not the program: what was said is kept. */
function tellEnd({ ended }: Described, io: Io): number {
  if (ended === "length") io.err("gander: the answer was cut off at --tokens-max\n");
  return ended === "cancelled" ? 130 : 0;
}

/** Writes what is new of a growing text. */
function growing(io: Io): (text: string) => void {
  let sent = 0;
  return (text) => {
    io.out(text.slice(sent));
    sent = text.length;
  };
}

type Own = Record<keyof typeof own_flags, string | boolean | undefined>;

function readRequest(own: Record<string, string | boolean | undefined>, image_count: number) {
  const { prompt = "", system } = own as Own;
  const images = Array.from({ length: image_count }, (_, index) => index);
  const turns: Turn[] = [
    ...typeof system === "string" ? [{ role: "system" as const, text: system, images: [] }] : [],
    { role: "user", text: String(prompt), images },
  ];
  const temperature = readNumber(own, "temperature", 0, 100);
  const top_p = readNumber(own, "top-p", 1e-6, 1);
  const seed = readNumber(own, "seed", 0, Number.MAX_SAFE_INTEGER, true);
  return {
    turns,
    sampler: { ...temperature !== undefined && { temperature }, ...top_p !== undefined && { top_p } },
    tokens_max: readNumber(own, "tokens-max", 1, 4_096, true),
    ...seed !== undefined && { seed: BigInt(seed) },
    official_padding: own["official-padding"] === true,
    // Somebody sits before it and can end it.
    deadline_ms: Infinity,
  } satisfies Omit<DescribeRequest, "pictures">;
}

function readNumber(
  own: Record<string, string | boolean | undefined>,
  name: string,
  min: number,
  max: number,
  whole = false,
): number | undefined {
  const text = own[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  const fits = text !== "" && value >= min && value <= max && (!whole || Number.isInteger(value));
  if (fits) return value;
  throw new UsageError(`--${name}: "${text}" is not a ${whole ? "whole " : ""}number from ${min} to ${max}`);
}

function refusePicture(path: string, why: string): never {
  throw new RequestError("request_invalid", `Cannot read picture "${path}": ${why}`);
}

async function checkPictureFile(path: string): Promise<void> {
  const { isFile, size } = await Deno.stat(path).catch((error: Error) =>
    refusePicture(path, error instanceof Deno.errors.NotFound ? "not found" : error.message)
  );
  if (!isFile) refusePicture(path, "not a file");
  const { picture_bytes_max } = source_limits;
  if (size > picture_bytes_max) {
    refusePicture(path, `it has ${size} bytes, ${picture_bytes_max} are allowed`);
  }
}

async function readPictureFile(path: string): Promise<{ name: string; bytes: Uint8Array }> {
  const bytes = await Deno.readFile(path).catch((error: Error) => refusePicture(path, error.message));
  return { name: path, bytes };
}
