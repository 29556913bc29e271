// gander serve: the service and its dashboard, until a signal. gander demo: the same with a sample clip playing.
import { join } from "node:path";
import { makeSampleClip } from "../../streams/mod.ts";
import { sleepLong } from "../clock.ts";
import { readArguments, readDuration } from "./arguments.ts";
import { jsonlSink } from "./caption_files.ts";
import type { Commands, Gander } from "./commands.ts";
import type { Io } from "./io.ts";

export const serve_help = `gander serve [options]

Runs the service; the dashboard is at the address it prints. Every option of "gander config print" is a flag.
`;
export const demo_help = `gander demo [options]

Runs the service with a generated sample clip playing in a loop.

  --for 60s      stop after this long; default: until Ctrl-C
  --jsonl FILE   captions of the clip, one JSON object a line; - is standard output
  --no-open      do not open a browser
`;

/** Time for sockets and snapshots at the end; then the process goes anyway. */
const shutdown_ms_max = 10_000;

async function shutDown(gander: Gander, served: { close(reason: string): Promise<void> }): Promise<void> {
  const last_resort = setTimeout(() => Deno.exit(1), shutdown_ms_max);
  await served.close("the service stops");
  await gander.close();
  clearTimeout(last_resort);
}

export const serve: Commands["serve"] = async (words, io, compose) => {
  const args = readArguments(words);
  const gander = await compose({ file: args.config_file, flags: args.config }, io);
  const served = await gander.serve();
  io.err(`gander: the dashboard is at ${served.url}\n`);
  await sleepLong(gander.clock, Infinity, io.stop);
  await shutDown(gander, served);
  return 0;
};

export const demo: Commands["demo"] = async (words, io, compose) => {
  const args = readArguments(words, { for: "string", jsonl: "string", "no-open": "boolean" });
  const for_ms = typeof args.own.for === "string" ? readDuration(args.own.for, "--for") : undefined;
  const flags = { log_level: "warn", sources_files: "yes", ...args.config };
  const gander = await compose({ file: args.config_file, flags }, io);
  const served = await gander.serve({ any_port: args.config.port === undefined });
  io.err(`gander: the dashboard is at ${served.url}\n`);
  const { model } = gander.service;
  if (!model.trained) {
    io.err(`gander: ${model.name} is untrained: its captions are noise. ${model.limits_note}\n`);
  }
  const clip = await ensureClip(gander);
  const sink = typeof args.own.jsonl === "string" ? jsonlSink(args.own.jsonl, io) : undefined;
  const unlisten = gander.service.listen((event) => {
    if (event.type === "caption.final" && event.caption.stream === "demo") sink?.write(event.caption);
  });
  if (!gander.service.list().some((stream) => stream.id === "demo")) {
    await gander.service.add({
      id: "demo",
      name: "Sample clip",
      source: { kind: "pull", url: clip, loop: true },
    });
  }
  if (!args.own["no-open"]) openBrowser(served.url, io);
  await sleepLong(gander.clock, for_ms ?? Infinity, io.stop);
  unlisten();
  sink?.close();
  await shutDown(gander, served);
  return 0;
};

async function ensureClip(gander: Gander): Promise<string> {
  const clip = join(gander.config.data_dir, "sample.mp4");
  try {
    if (Deno.statSync(clip).size > 0) return clip;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await makeSampleClip(clip);
  return clip;
}

/** Only where a person sits before a screen. */
function openBrowser(url: string, io: Io): void {
  if (!Deno.stdout.isTerminal() || !(Deno.env.get("DISPLAY") || Deno.env.get("WAYLAND_DISPLAY"))) return;
  try {
    new Deno.Command("xdg-open", { args: [url], stdin: "null", stdout: "null", stderr: "null" }).spawn()
      .unref();
  } catch {
    io.err(`gander: open ${url} in a browser\n`);
  }
}
