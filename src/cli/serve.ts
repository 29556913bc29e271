// gander serve: the service and its dashboard, until a signal. gander demo: the same with a sample clip playing.
import { basename, join } from "node:path";
import { makeSampleClip } from "../../streams/mod.ts";
import { sleepLong } from "../clock.ts";
import { loadConfig, resolveBundle } from "../compose.ts";
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
  --data DIR     where captions and memory are kept (default: the folder "demo" in the service's)
`;

const demo_id = "demo";
/** Time for sockets and snapshots at the end; then the process goes anyway. */
const shutdown_ms_max = 10_000;

/** Runs `body` beside the server; whatever happens, goodbye is said and everything is closed. */
async function whileServed(
  gander: Gander,
  io: Io,
  options: { any_port: boolean },
  body: (url: string) => Promise<number>,
): Promise<number> {
  let served: { url: string; close(reason: string): Promise<void> } | undefined;
  try {
    // Listening before the memories are back: who asks is told "not ready", not refused.
    served = await gander.serve(options);
    io.err(`gander: the dashboard is at ${served.url}\n`);
    await gander.open();
    return await body(served.url);
  } finally {
    const last_resort = setTimeout(() => Deno.exit(1), shutdown_ms_max);
    await served?.close("the service stops");
    await gander.close();
    clearTimeout(last_resort);
  }
}

export const serve: Commands["serve"] = async (words, io, compose) => {
  const args = readArguments(words);
  const gander = await compose({ file: args.config_file, flags: args.config }, io);
  return await whileServed(gander, io, { any_port: false }, async () => {
    await sleepLong(gander.clock, Infinity, io.stop);
    return 0;
  });
};

export const demo: Commands["demo"] = async (words, io, compose) => {
  const args = readArguments(words, { for: "string", jsonl: "string", "no-open": "boolean" });
  const for_ms = typeof args.own.for === "string" ? readDuration(args.own.for, "--for") : undefined;
  const sink = typeof args.own.jsonl === "string" ? jsonlSink(args.own.jsonl, io) : undefined;
  const { data_dir: parent } = loadConfig(args.config_file, args.config);
  // A folder of its own: the demo runs beside a service, and its sample clip is not among a user's streams.
  const data_dir = args.config.data_dir ?? join(parent, "demo");
  const flags = { log_level: "warn", ...args.config, data_dir };
  const gander = await compose({ file: args.config_file, flags, file_roots: [data_dir] }, io);
  return await whileServed(gander, io, { any_port: args.config.port === undefined }, async (url) => {
    const { service } = gander;
    const { model } = service;
    if (!model.trained) {
      io.err(`gander: ${model.name} is untrained: its captions are noise. ${model.limits_note}\n`);
    }
    const over = new AbortController();
    let refused = false;
    const unlisten = service.listen((event) => {
      if (event.type === "caption.final" && event.caption.stream === demo_id) sink?.write(event.caption);
      if (event.type !== "stream.status" || event.stream !== demo_id || event.status !== "denied") return;
      io.err(`gander: ${event.reason}\n`);
      refused = true;
      over.abort();
    });
    await playClip(gander, await ensureClip(gander));
    if (!args.own["no-open"]) openBrowser(url, io);
    await sleepLong(gander.clock, for_ms ?? Infinity, AbortSignal.any([io.stop, over.signal]));
    unlisten();
    sink?.close();
    return refused ? 1 : 0;
  });
};

/** The sample clip plays, whatever an earlier demo left its stream in; its memory goes on. */
async function playClip({ service }: Gander, clip: string): Promise<void> {
  const source = { kind: "pull" as const, url: clip, loop: true };
  if (!service.list().some((stream) => stream.id === demo_id)) {
    await service.add({ id: demo_id, name: "Sample clip", source });
    return;
  }
  await service.change(demo_id, { source });
  await service.resume(demo_id);
}

/** The clip that lies in the bundle, or one that is made: a test picture. It plays from the demo's own folder. */
async function ensureClip({ config }: Gander): Promise<string> {
  const own = join(await resolveBundle(config), "sample.mp4");
  if (isFile(own)) {
    const clip = join(config.data_dir, `sample-${basename(join(own, ".."))}.mp4`);
    if (!isFile(clip)) await Deno.copyFile(own, clip);
    return clip;
  }
  const clip = join(config.data_dir, "sample.mp4");
  if (!isFile(clip)) await makeSampleClip(clip);
  return clip;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).size > 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
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
