// `gander bench`: of the library alone (bench_engine.ts), and what a model costs on this machine, on a bundle or on random
// weights of a released shape. Owns words, output and the folders in between; the measuring is src/bench.
import { join } from "node:path";
import { measureModel } from "../bench/measure_model.ts";
import { randomCheckpoint } from "../bench/random_checkpoint.ts";
import { type Released, released } from "../bench/released.ts";
import { openBundleVision } from "../bundle_vision.ts";
import { system_clock } from "../clock.ts";
import { type Bundle, readBundle } from "../model/bundle.ts";
import { importBundle } from "../model/import/import_bundle.ts";
import { writeSafetensors } from "../model/import/safetensors_writer.ts";
import type { SpanGrid } from "../pipeline/ports.ts";
import { openEngine } from "../../ffi/mod.ts";
import { outlineTower, writeTower } from "../vision/onnx/write_tower.ts";
import { readArguments, UsageError } from "./arguments.ts";
import { bench_engine_help, benchEngine } from "./bench_engine.ts";
import { costLine, costTable, type MeasuredModel } from "./bench_text.ts";
import type { Command } from "./commands.ts";
import type { Io } from "./io.ts";

const keys = released.map(({ key }) => key).join(", ");
export const bench_help = `gander bench model --bundle DIR          what a bundle costs on this machine
gander bench model --released KEY --tokenizer FILE [--work DIR]
                                         the same for random weights of a released shape; made, imported, measured,
                                         and removed again unless --work names a folder to keep them in
  KEY           ${keys.replace(/(.{60}[^,]*,) /g, "$1\n                ")}
  --vision T    fp32 (default), fp16 or int8, with --released
  --runs N      of each part, after one that does not count (default 3); --threads N (default 2); --json
${bench_engine_help}`;

const decode_tokens = 8, prompt_positions = 64;

export function benchCommand(library_path: string): Command {
  return async (words, io) => {
    const [verb, ...rest] = words;
    if (verb === "engine") return await benchEngine(rest, library_path, io);
    if (verb !== "model") throw new UsageError("bench: gander bench model … or gander bench engine …");
    const { own, positionals } = readArguments(rest, {
      ...{
        bundle: "string",
        released: "string",
        tokenizer: "string",
        work: "string",
        vision: "string",
      } as const,
      ...{ runs: "string", threads: "string", json: "boolean" } as const,
    });
    if (positionals.length > 0) throw new UsageError(`bench: "${positionals[0]}" is one word too many`);
    const settings = {
      library_path,
      runs: readCount(own.runs ?? "3", "--runs"),
      threads: readCount(own.threads ?? "2", "--threads"),
    };
    const measured = typeof own.released === "string"
      ? await measureReleased(own.released, own, settings, io)
      : await measureBundle(bundleOf(own.bundle), settings);
    io.out(own.json ? `${JSON.stringify(costLine(measured))}\n` : costTable(measured));
    return 0;
  };
}

interface Settings {
  library_path: string;
  runs: number;
  threads: number;
}

type Own = Record<string, string | boolean | undefined>;

function bundleOf(word: string | boolean | undefined): string {
  if (typeof word === "string") return word;
  throw new UsageError("bench model: --bundle DIR or --released KEY is missing");
}

async function measureReleased(key: string, own: Own, settings: Settings, io: Io): Promise<MeasuredModel> {
  const one = released.find((known) => known.key === key);
  if (!one) throw new UsageError(`bench model: --released is one of ${keys}`);
  const vision = String(own.vision ?? "fp32");
  if (vision !== "fp32" && vision !== "fp16" && vision !== "int8") {
    throw new UsageError(`bench model: --vision is fp32, fp16 or int8, not "${vision}"`);
  }
  const kept = typeof own.work === "string";
  const work = kept ? String(own.work) : await Deno.makeTempDir({ prefix: "gander-bench-" });
  try {
    const dir = join(work, `${key}-${vision}`);
    const there = await Deno.stat(join(dir, "manifest.json")).then(() => true, () => false);
    if (!there) await makeBundle(one, { work, dir, vision, tokenizer: own.tokenizer }, io);
    return { ...await measureBundle(dir, settings), released: one.key };
  } finally {
    if (!kept) await Deno.remove(work, { recursive: true });
  }
}

/** Random weights, then the importer that released files go through. */
async function makeBundle(
  one: Released,
  { work, dir, vision, tokenizer }: {
    work: string;
    dir: string;
    vision: "fp32" | "fp16" | "int8";
    tokenizer: unknown;
  },
  io: Io,
): Promise<void> {
  const checkpoint = join(work, `${one.key}.safetensors`);
  await Deno.mkdir(work, { recursive: true });
  io.err(`bench: random weights of ${one.file ?? `a VisualRWKV ${one.version}`}\n`);
  await writeSafetensors(checkpoint, randomCheckpoint(one));
  try {
    io.err("bench: importing them\n");
    await importBundle(
      {
        ...{
          paths: [checkpoint],
          tower_paths: [],
          dir,
          force: false,
          stored_as: "keep",
          vision_weights: vision,
        },
        ...{ version: one.version, name: `random-${one.key}`, licence: "none: random weights" },
        tokenizer_path: typeof tokenizer === "string" ? tokenizer : undefined,
      },
      { outline: outlineTower, write: writeTower },
      { signal: io.stop },
    );
  } finally {
    await Deno.remove(checkpoint);
  }
}

async function measureBundle(dir: string, { library_path, runs, threads }: Settings): Promise<MeasuredModel> {
  const bundle = await readBundle(dir, { verify: "sizes" });
  const begun_ms = performance.now();
  const engine = await openEngine({
    ...{ library_path, device: "cpu", weights_path: bundle.weights_path, states_max: 2, threads },
  });
  const engine_load_ms = performance.now() - begun_ms;
  const vision_begun_ms = performance.now();
  const vision = await openBundleVision(bundle, {
    library_path,
    engine_threads: threads,
    threads,
    log: () => {},
  });
  const vision_load_ms = performance.now() - vision_begun_ms;
  try {
    const seeing = vision && { vision, grid: gridOf(bundle) };
    const options = { runs, prompt_positions, decode_tokens };
    const cost = await measureModel(engine, seeing, options, system_clock);
    const { width, layers, state_bytes, weight_bytes, rwkv_version } = engine.info;
    return {
      ...{ bundle: bundle.manifest.name, released: undefined, threads, cost, engine_load_ms, vision_load_ms },
      ...{ width, layers, rwkv_version, state_bytes, weight_bytes, rss_bytes: Deno.memoryUsage().rss },
    };
  } finally {
    await vision?.close();
    await engine.close();
  }
}

function gridOf({ manifest: { image } }: Bundle): SpanGrid {
  if (image === null) return { scan: "row_major", rows: 0, columns: 0 };
  return { scan: image.scan, rows: image.scan_rows, columns: image.scan_columns };
}

function readCount(word: string | boolean, flag: string): number {
  const value = Number(word);
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value;
  throw new UsageError(`bench model: ${flag} is a whole number from 1 to 1000`);
}
