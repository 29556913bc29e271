// The command behind "gander train lm": text files to a language model. Wires; the trainer's library comes as a port.
import { join } from "node:path";
import { findTokenizer, type FoundTokenizer } from "../../model/import/find_tokenizer.ts";
import { inspect } from "../../model/import/inspect.ts";
import { openCheckpoint } from "../../model/import/open_checkpoint.ts";
import { type FlagWords, readRunFlags } from "../flags.ts";
import { initialRwkv } from "../init.ts";
import { DataError } from "../llava/errors.ts";
import { readTextFlags, type TextSettings } from "../llava/flags.ts";
import { data_limits } from "../llava/limits.ts";
import { besideCheckpoint } from "../llava/memory_checkpoint.ts";
import { saveBundle, saveWeights, weightsPath } from "../llava/saved_weights.ts";
import { type LanguageTrainPorts, savePlace } from "../llava/train_visual.ts";
import { checkSizes, readParameters } from "../llava/visual_model.ts";
import type { NamedTensor } from "../ports.ts";
import { type RunEnd, runStage } from "../run.ts";
import { type DocumentReport, readDocuments } from "./documents.ts";
import { textStage } from "./text_stage.ts";
import { TokenWindows } from "./token_windows.ts";

/** As RWKV-7 is pre-trained (spec 6.4), where that differs from the defaults of a run. */
export const text_run_flags = { adam_eps: "1e-18", warmup_steps: "10" } as const;

export async function trainLm(words: FlagWords, ports: LanguageTrainPorts): Promise<RunEnd> {
  const run = readRunFlags(words, text_run_flags);
  const settings = readTextFlags(words);
  const { out_dir } = run.options;
  const { say } = ports;
  const begin = await openBeginning(settings, run.seed);
  const windows = await readWindows(settings.data_paths, begin.tokenizer, settings.ctx_len, say.line);
  const validation = settings.val_path === undefined
    ? undefined
    : await readWindows([settings.val_path], begin.tokenizer, settings.ctx_len, say.line);
  const { micro_bsz, begin_micro_steps, weight_decay, seed } = run;
  const stage = textStage({
    ...{ parameters: begin.parameters, windows, validation, validation_windows: settings.val_samples },
    ...{ micro_bsz, begin_micro_steps, weight_decay },
    numbers: { ...run.numbers, l2wrap: settings.l2wrap },
    settings: {
      ...{ micro_bsz, begin_micro_steps, seed, ctx_len: settings.ctx_len, tokens: windows.tokens },
      beginning: settings.load_model ?? "new",
    },
  });
  const place = savePlace(words, out_dir, settings.save_dtype);
  using trainer = ports.openTrainer({ kind: "language", device: run.device, threads: run.threads });
  const end = await runStage(stage, trainer, {
    ...run.options,
    async onSave(step, parameters) {
      say.line(`saved ${await saveWeights(place, step, parameters, undefined)}`);
    },
  }, ports);
  if (end.finished && settings.save_bundle) {
    const dir = join(out_dir, "bundle");
    await saveBundle({
      ...{ paths: [weightsPath(place, run.options.steps)], tower_paths: [], dir },
      ...{ tokenizer_path: begin.tokenizer.place, name: "gander-lm", licence: settings.licence },
    });
    say.line(`made the bundle ${dir}`);
  }
  return end;
}

interface Beginning {
  tokenizer: FoundTokenizer;
  /** Opens the file again: a run that goes on never asks. */
  parameters(): Promise<Map<string, NamedTensor>>;
}

async function openBeginning(settings: TextSettings, seed: number): Promise<Beginning> {
  const { load_model, tokenizer_path, sizes } = settings;
  if (load_model === undefined) return await beginNew(settings, seed);
  await using checkpoint = await openCheckpoint([load_model]);
  const findings = inspect(checkpoint);
  checkSizes(findings.language.sizes, sizes, load_model);
  const tokenizer = await findTokenizer(checkpoint, findings.language.sizes.vocab, tokenizer_path);
  if (tokenizer === undefined) throw missingTokenizer();
  return {
    tokenizer,
    async parameters() {
      await using again = await openCheckpoint([load_model]);
      return await readParameters({ ...inspect(again), vision: undefined });
    },
  };
}

/** Sizes that nobody gives: those of the smallest released model, and of the vocabulary. */
async function beginNew(
  { tokenizer_path, rwkv_version: version, sizes }: TextSettings,
  seed: number,
): Promise<Beginning> {
  if (tokenizer_path === undefined) throw missingTokenizer();
  const rows_max = sizes.vocab_size ?? 1 << 20;
  const tokenizer = await findTokenizer(besideCheckpoint(undefined, new Map()), rows_max, tokenizer_path);
  const { n_layer: layers = 12, n_embd: width = 768, dim_ffn: ffn } = sizes;
  // World models have 65536 rows for 65529 tokens.
  const vocab = sizes.vocab_size ?? 64 * Math.ceil((tokenizer!.tokenizer.id_max + 1) / 64);
  const shape = { ...{ version, layers, width, vocab, seed }, ...ffn !== undefined && { ffn } };
  return { tokenizer: tokenizer!, parameters: () => Promise.resolve(initialRwkv(shape)) };
}

function missingTokenizer(): DataError {
  return new DataError("data_options", "Cannot train on text: there is no vocabulary; --tokenizer FILE");
}

async function readWindows(
  paths: readonly string[],
  { tokenizer }: FoundTokenizer,
  ctx_len: number,
  say: (line: string) => void,
): Promise<TokenWindows> {
  const windows = new TokenWindows(ctx_len);
  const report: DocumentReport = { documents: 0, bad_rows: 0 };
  const tell = (line: string) => {
    if (report.bad_rows <= data_limits.problems_listed_max) say(line);
  };
  for (const path of paths) {
    for await (const document of readDocuments(path, report, tell)) windows.add(tokenizer.encode(document));
  }
  const { documents, bad_rows } = report;
  say(`${paths.join(", ")}: ${documents} documents, ${windows.tokens} tokens; ${bad_rows} bad rows left out`);
  if (windows.count === 0) {
    throw new DataError("data_invalid", `Cannot train on "${paths[0]}": it has no text`);
  }
  return windows;
}
