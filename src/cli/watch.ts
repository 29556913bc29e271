// gander watch SOURCE: captions of one source in the terminal or in files, without a server.
import { sleepLong } from "../clock.ts";
import type { Caption } from "../pipeline/ports.ts";
import type { Service } from "../pipeline/service.ts";
import type { StreamRequest, StreamView } from "../pipeline/surface.ts";
import { readArguments, readDuration, UsageError } from "./arguments.ts";
import {
  type CaptionSink,
  jsonlSink,
  type LineFile,
  openLines,
  type SubtitleFormat,
  textSink,
  writeSubtitles,
} from "./caption_files.ts";
import type { Commands } from "./commands.ts";

export const watch_help = `gander watch SOURCE [options]

SOURCE is a file, an http(s) or rtsp(s) address, or testsrc:PATTERN.

  --for 30s           stop after this long (ms, s, m, h, d); default: until the source ends
  --jsonl FILE        one JSON object a line; - is standard output
  --vtt FILE          WebVTT subtitles, written at the end; - is standard output
  --srt FILE          SubRip subtitles, likewise
  --pace lossless     recordings only: every frame at the tick rate, as fast as this machine can
  --rate HZ           ticks per second (default: what the model was made for)
  --loop              start a recording again at its end
  --transport udp     RTSP over UDP instead of TCP
  --prompt TEXT       what an imported image model is asked of each picture; {summary} and {language} are filled in
  --language TAG      language that it is asked to answer in: en, de, zh
  --cadence 5s        time between two of its captions at the least
  --refresh 30s       time after which it is asked again about a picture that does not change
  --no-change-gate    feed still frames too
  --no-novelty-gate   publish captions that repeat recent ones too
  --data DIR          keep captions and memory there, and go on with them next time; default: a temporary folder,
                      deleted at the end
`;

const own = {
  for: "string",
  jsonl: "string",
  vtt: "string",
  srt: "string",
  pace: "string",
  rate: "string",
  loop: "boolean",
  transport: "string",
  "no-change-gate": "boolean",
  "no-novelty-gate": "boolean",
} as const;

function readRequest(args: ReturnType<typeof readArguments>): StreamRequest {
  const [url, ...rest] = args.positionals;
  if (!url || rest.length > 0) throw new UsageError("watch takes one SOURCE");
  const { pace, rate, transport, loop } = args.own;
  if (pace !== undefined && pace !== "live" && pace !== "lossless") {
    throw new UsageError("--pace is live or lossless");
  }
  if (transport !== undefined && transport !== "tcp" && transport !== "udp") {
    throw new UsageError("--transport is tcp or udp");
  }
  const tick_rate_hz = rate === undefined ? undefined : Number(rate);
  if (tick_rate_hz !== undefined && !(tick_rate_hz >= 0.05 && tick_rate_hz <= 10)) {
    throw new UsageError("--rate is a number from 0.05 to 10");
  }
  return {
    name: "watch",
    source: { kind: "pull", url, ...(transport && { transport }), ...(loop && { loop: true }) },
    ...(pace && { pace }),
    ...(tick_rate_hz && { tick_rate_hz }),
    gates: { change: !args.own["no-change-gate"], novelty: !args.own["no-novelty-gate"] },
  };
}

/** 0 when the source ended or the time was up, 1 when it was refused. */
export const watch: Commands["watch"] = async (words, io, compose) => {
  const args = readArguments(words, own);
  const request = readRequest(args);
  const for_ms = typeof args.own.for === "string" ? readDuration(args.own.for, "--for") : undefined;
  // Files are opened before anything is watched: a path that cannot be written must not cost a whole run.
  const { jsonl, vtt, srt } = args.own as Record<string, string | undefined>;
  const sinks: CaptionSink[] = [];
  if (jsonl !== undefined) sinks.push(jsonlSink(jsonl, io));
  if (![jsonl, vtt, srt].includes("-")) sinks.push(textSink(io));
  const subtitles: [SubtitleFormat, LineFile][] = [];
  if (vtt !== undefined) subtitles.push(["vtt", openLines(vtt, io)]);
  if (srt !== undefined) subtitles.push(["srt", openLines(srt, io)]);
  const kept = "data_dir" in args.config;
  const data_dir = kept ? args.config.data_dir : Deno.makeTempDirSync({ prefix: "gander-watch-" });
  const flags = {
    sources_files: "yes",
    sources_loopback: "yes",
    log_level: "warn",
    ...args.config,
    data_dir,
    ...(!kept && { fsync: "normal" }),
  };
  const discard = () => kept || Deno.removeSync(data_dir!, { recursive: true });
  const gander = await compose({ file: args.config_file, flags }, io).catch((error) => {
    discard();
    throw error;
  });
  let whole = false;
  try {
    const { service } = gander;
    await gander.open({ play: false });
    if (!gander.service.model.trained) io.err("gander: the model is untrained: captions are noise\n");
    const over = new AbortController();
    const stop = AbortSignal.any([io.stop, over.signal]);
    let refused: string | undefined;
    const silence = service.listen((event) => {
      if (event.type === "caption.final") writeAll(sinks, event.caption);
      if (event.type !== "stream.status" || stop.aborted) return;
      io.err(`gander: ${event.status}: ${event.reason}\n`);
      if (event.status === "denied") refused = event.reason;
      if (event.status === "denied" || event.status === "ended") over.abort();
    });
    const id = "watch";
    const known = service.list().find((stream) => stream.id === id);
    if (known) await goOn(service, known, request);
    else if (!stop.aborted) await service.add({ ...request, id });
    await sleepLong(gander.clock, for_ms ?? Infinity, stop);
    over.abort();
    await service.pause(id);
    silence();
    const read = (query: Parameters<typeof service.captions>[1]) => service.captions(id, query);
    for (const [format, file] of subtitles) writeSubtitles(file, format, read);
    for (const sink of sinks) sink.close();
    whole = true;
    return refused === undefined ? 0 : 1;
  } finally {
    await gander.close();
    if (whole) discard();
    else if (!kept) io.err(`gander: the captions so far are kept: gander watch … --data ${data_dir}\n`);
  }
};

/** The same stream of an earlier run goes on with its memory, where it was halted; its pace is what it was. */
async function goOn(service: Service, known: StreamView, request: StreamRequest) {
  const { name, source, tick_rate_hz, gates, pace } = request;
  const { id } = known;
  if (pace !== undefined && pace !== known.pace) {
    throw new UsageError(`--pace: the memory in this data folder was begun with --pace ${known.pace}`);
  }
  await service.change(id, { name, source, tick_rate_hz, gates });
  await service.resume(id);
}

function writeAll(sinks: readonly CaptionSink[], caption: Caption): void {
  for (const sink of sinks) sink.write(caption);
}
