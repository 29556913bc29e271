// `gander bench engine`: what the native library does on this machine with random weights of a released shape, and, given
// a build of llama.cpp, what that does with the same file, in turns. Owns words, the file and the order of runs; the
// measuring is native/bench.
import { join } from "node:path";
import {
  comparePairs,
  type Measured,
  type Pair,
  readLlamaBatched,
  readLlamaBench,
  readMeasured,
  type Speeds,
  speedsOf,
} from "../bench/engine_runs.ts";
import { readArguments, UsageError } from "./arguments.ts";
import { type EngineReport, engineTable, type LlamaReport } from "./bench_engine_text.ts";
import { besideHogs, buildBench, runProgram } from "./bench_programs.ts";
import type { Io } from "./io.ts";

const shapes = ["tiny", "0.1b", "0.4b", "1.5b", "2.9b"], formats = ["f16", "bf16", "q8", "q4"];

export const bench_engine_help =
  `gander bench engine --shape S --format F  the native library on random weights of a released RWKV-7 shape
  S             ${shapes.join(", ")}
  F             ${formats.join(", ")}: as a GGUF file has them, q8 is Q8_0 and q4 is Q4_K_M
  --threads N   (default 1); --streams 1,8,32 of the batched decode; --runs N of each part (default 5)
  --hogs N      decode also beside N busy processes; --age: also the cost of a tick after up to a million of them
  --llama DIR   a folder with llama-bench and llama-batched-bench: the same file, in turns, --pairs N times (default 3)
  --work DIR    keeps the file there; --json
`;

interface Settings {
  file: string;
  rwkv_bench: string;
  threads: number;
  streams: number[];
  runs: number;
  hogs: number | undefined;
  stop: AbortSignal;
}

export async function benchEngine(words: readonly string[], library_path: string, io: Io): Promise<number> {
  const { own, positionals } = readArguments(words, {
    ...{ shape: "string", format: "string", threads: "string", streams: "string", runs: "string" } as const,
    ...{ hogs: "string", llama: "string", pairs: "string", work: "string" } as const,
    ...{ age: "boolean", json: "boolean" } as const,
  });
  if (positionals.length > 0) throw new UsageError(`bench: "${positionals[0]}" is one word too many`);
  const shape = oneOf(own.shape, "--shape", shapes), format = oneOf(own.format, "--format", formats);
  const settings = {
    threads: countOf(own.threads ?? "1", "--threads"),
    streams: String(own.streams ?? "1,8,32").split(",").map((word) => countOf(word, "--streams")),
    runs: countOf(own.runs ?? "5", "--runs"),
    hogs: own.hogs === undefined ? undefined : countOf(own.hogs, "--hogs"),
    stop: io.stop,
  };
  const pairs = countOf(own.pairs ?? "3", "--pairs");
  const kept = typeof own.work === "string";
  const work = kept ? String(own.work) : await Deno.makeTempDir({ prefix: "gander-bench-" });
  try {
    io.err("bench: building\n");
    const rwkv_bench = await buildBench(library_path, io.stop);
    const file = join(work, `random-${shape}-${format}.gguf`);
    await Deno.mkdir(work, { recursive: true });
    if (!await Deno.stat(file).then(() => true, () => false)) {
      io.err("bench: random weights\n");
      // Under another name until it is whole.
      const part = `${file}.part`;
      await runProgram(rwkv_bench, ["write", "--shape", shape, "--format", format, part], { stop: io.stop });
      await Deno.rename(part, file);
    }
    const all = { ...settings, file, rwkv_bench };
    io.err("bench: measuring the library\n");
    const parts = ["bandwidth", "prefill", "decode", "batch", "states", "idle"];
    if (settings.hogs !== undefined) parts.push("hogs");
    if (own.age) parts.push("age");
    const report: EngineReport = {
      ...{ shape, format, file_bytes: (await Deno.stat(file)).size, measured: await measureOurs(all, parts) },
      llama: typeof own.llama === "string" ? await compareWithLlama(all, own.llama, pairs, io) : undefined,
    };
    io.out(own.json ? `${JSON.stringify(report)}\n` : engineTable(report));
    return 0;
  } finally {
    if (!kept) await Deno.remove(work, { recursive: true });
  }
}

async function measureOurs(settings: Settings, parts: readonly string[]): Promise<Measured> {
  const { file, rwkv_bench, threads, streams, runs, hogs, stop } = settings;
  const args = ["measure", "--model", file, "--threads", `${threads}`, "--streams", streams.join(",")];
  args.push("--runs", `${runs}`, "--parts", parts.join(","));
  if (hogs !== undefined) args.push("--hogs", `${hogs}`);
  return readMeasured(await runProgram(rwkv_bench, args, { stop }));
}

/** Ours, theirs, ours, theirs, …: each pair within the same minutes. */
async function compareWithLlama(
  settings: Settings,
  llama: string,
  count: number,
  io: Io,
): Promise<LlamaReport> {
  const parts = ["prefill", "decode", "batch", ...(settings.hogs === undefined ? [] : ["hogs"])];
  const pairs: Pair[] = [];
  let build = "unknown";
  for (let index = 0; index < count; index++) {
    io.err(`bench: pair ${index + 1} of ${count}\n`);
    const ours = speedsOf(await measureOurs(settings, parts));
    const theirs = await measureLlama(settings, llama);
    build = theirs.build;
    pairs.push({ ours, theirs: theirs.speeds });
  }
  return { build, pairs, compared: comparePairs(pairs) };
}

async function measureLlama(settings: Settings, llama: string): Promise<{ speeds: Speeds; build: string }> {
  const { file, threads, streams, runs, hogs, rwkv_bench, stop } = settings;
  const options = { stop, libraries: llama };
  const bench = async (...args: string[]) => {
    const all = ["-m", file, "-mmp", "0", "-t", `${threads}`, "-o", "json", ...args];
    return readLlamaBench(await runProgram(join(llama, "llama-bench"), all, options));
  };
  const { speeds, build } = await bench("-p", "64,512", "-n", "64", "-r", `${runs}`);
  // As many positions as rwkv_bench puts into each stream: 16 of a prompt, 32 decoded.
  const context = String(Math.max(512, 64 * Math.max(...streams)));
  const batched = ["-m", file, "--no-mmap", "-t", `${threads}`, "-tb", `${threads}`, "-c", context];
  batched.push("-npp", "16", "-ntg", "32", "-npl", streams.join(","), "--output-format", "jsonl");
  Object.assign(
    speeds,
    readLlamaBatched(await runProgram(join(llama, "llama-batched-bench"), batched, options)),
  );
  if (hogs !== undefined) {
    // Few tokens: beside busy processes one of them can take seconds.
    const beside = await besideHogs(
      rwkv_bench,
      hogs,
      () => bench("-p", "0", "-n", "16", "-r", "1", "--no-warmup"),
    );
    speeds.decode_beside_hogs = beside.speeds.decode!;
  }
  return { speeds, build };
}

function oneOf(word: string | boolean | undefined, flag: string, known: readonly string[]): string {
  if (typeof word === "string" && known.includes(word)) return word;
  throw new UsageError(`bench engine: ${flag} is one of ${known.join(", ")}`);
}

function countOf(word: string | boolean, flag: string): number {
  const value = Number(word);
  if (Number.isInteger(value) && value >= 1 && value <= 4096) return value;
  throw new UsageError(`bench engine: ${flag} takes whole numbers from 1 to 4096`);
}
