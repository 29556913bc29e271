// `gander model import`: words in, progress while it works, and at the end what was found and what to type next.
// Wires the importer to the writer of vision towers. Must not know containers or tensors.
import { parseArgs } from "node:util";
import { import_limits } from "../model/import/limits.ts";
import { importBundle, type ImportRequest } from "../model/import/import_bundle.ts";
import type { TowerWriter } from "../model/import/tower_port.ts";
import { scan_modes } from "../model/manifest.ts";
import { outlineTower, writeTower } from "../vision/onnx/write_tower.ts";
import { UsageError } from "./arguments.ts";
import { importSummary, summaryText } from "./import_summary.ts";

export const import_usage = `gander model import FILE... -o DIR     a released checkpoint becomes a bundle
  FILE                  .pth, .safetensors, .gguf, a shard, an index, or the folder with them; VisualRWKV, or plain RWKV
  -o, --output DIR      the bundle's folder; it must not be there, or hold a bundle and --force be given
  --tokenizer FILE      the World vocabulary (default: looked for beside FILE, then inside a GGUF)
  --tower FILE          a CLIP or SigLIP tower of Hugging Face, or the projector; may be given again
  --version NAME        which VisualRWKV it is, where tensors cannot tell: v7.02, hd, uhd, plain …
  --dtype TYPE          weights as keep (default), f32, f16 or bf16
  --vision TYPE         vision tower as fp32 (default), fp16 or int8
  --tokens-per-image N  pooled vectors of one picture (v6.20 and later: a square), of one tile for v7.02 and v7.04
  --tiles N             v7.02, v7.03: tiles of a picture at most (default: 64), and how large the frames of a stream are
                        (default: 4 tiles); v7.04: always so many (default: 4)
  --scan MODE           row_major, bidirection, multidirection, spiral, snake or zigzag (default: as the version); v5.1
                        is --version v5.0 --scan MODE
  --position P          where the picture stands: first, middle, last, many (default: as trained)
  --policy P            refresh or stream (default: as trained)
  --name, --licence     of the bundle; --force, --json
`;

export interface ImportIo {
  out(text: string): void;
  err(text: string): void;
  stop?: AbortSignal;
}

const options = {
  output: { type: "string", short: "o" },
  tokenizer: { type: "string" },
  tower: { type: "string", multiple: true },
  version: { type: "string" },
  dtype: { type: "string", default: "keep" },
  vision: { type: "string", default: "fp32" },
  "tokens-per-image": { type: "string" },
  tiles: { type: "string" },
  position: { type: "string" },
  scan: { type: "string" },
  policy: { type: "string" },
  name: { type: "string" },
  licence: { type: "string" },
  force: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

const tower_writer: TowerWriter = { outline: outlineTower, write: writeTower };

/** The exit status; throws UsageError, ImportError and ModelError. */
export async function importCommand(args: string[], io: ImportIo): Promise<number> {
  const { request, json } = readRequest(args);
  const progress = new Progress(io);
  try {
    const report = await importBundle(request, tower_writer, {
      ...(io.stop ? { signal: io.stop } : {}),
      onProgress: (...step) => progress.show(...step),
    });
    progress.end();
    const summary = importSummary(report, request);
    io.out(json ? `${JSON.stringify(summary, null, 2)}\n` : summaryText(summary));
    return 0;
  } catch (error) {
    progress.end();
    if (!io.stop?.aborted) throw error;
    io.err("gander: stopped; nothing was written\n");
    return 130;
  }
}

export function readRequest(args: string[]): { request: ImportRequest; json: boolean } {
  let parsed;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split(". ")[0]!);
  }
  const { values, positionals } = parsed;
  if (positionals.length === 0) throw new UsageError("model import: which file?");
  if (positionals.length > import_limits.files_max) throw new UsageError("model import: too many files");
  if (values.output === undefined) throw new UsageError("model import: where to? -o DIR is missing");
  return {
    json: values.json,
    request: {
      paths: positionals,
      tower_paths: values.tower ?? [],
      dir: values.output,
      force: values.force,
      stored_as: oneOf("--dtype", values.dtype, ["keep", "f32", "f16", "bf16"]),
      vision_weights: oneOf("--vision", values.vision, ["fp32", "fp16", "int8"]),
      tokenizer_path: values.tokenizer,
      version: values.version,
      tokens_per_image: readCount("--tokens-per-image", values["tokens-per-image"]),
      tiles: readCount("--tiles", values.tiles),
      position: values.position === undefined
        ? undefined
        : oneOf("--position", values.position, ["first", "middle", "last", "many"]),
      scan: values.scan === undefined ? undefined : oneOf("--scan", values.scan, scan_modes),
      policy: values.policy === undefined
        ? undefined
        : oneOf("--policy", values.policy, ["refresh", "stream"]),
      name: values.name,
      licence: values.licence,
    },
  };
}

function oneOf<const T extends string>(flag: string, word: string, words: readonly T[]): T {
  const found = words.find((known) => known === word);
  if (found === undefined) {
    throw new UsageError(`model import: ${flag} is ${words.join(", ")}, not "${word}"`);
  }
  return found;
}

function readCount(flag: string, word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(word)) throw new UsageError(`model import: ${flag} "${word}" is not a count`);
  return Number(word);
}

/** On a terminal one line that changes, in a file a line for every tenth. */
class Progress {
  readonly #io: ImportIo;
  readonly #live = Deno.stderr.isTerminal();
  #shown = -1;
  #what = "";

  constructor(io: ImportIo) {
    this.#io = io;
  }

  show(what: string, done_bytes: number, total_bytes: number): void {
    const percent = total_bytes === 0 ? 100 : Math.floor(100 * done_bytes / total_bytes);
    const step = this.#live ? percent : Math.floor(percent / 10);
    if (step === this.#shown && what === this.#what) return;
    this.#shown = step;
    this.#what = what;
    const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
    const text = `${String(percent).padStart(3)} %  ${what}  ${mb(done_bytes)} of ${mb(total_bytes)} MB`;
    this.#io.err(this.#live ? `\r${text.padEnd(60)}` : `${text}\n`);
  }

  end(): void {
    if (this.#live && this.#shown >= 0) this.#io.err("\n");
  }
}
