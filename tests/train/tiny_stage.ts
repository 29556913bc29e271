// A language stage of a few thousand parameters whose batches are arithmetic: small enough to train in seconds, with
// everything in it that a run must carry over. As a program it trains into a folder until it is done or killed.
import { openTrainer } from "../../ffi/mod.ts";
import { initialRwkv } from "../../src/train/init.ts";
import { runStage } from "../../src/train/run.ts";
import { cosineLr } from "../../src/train/schedule.ts";
import type { RunOptions, Stage } from "../../src/train/stage.ts";
import { trainer_path } from "./built.ts";

const rows = 2, length = 12, vocab = 24;

export const tiny_stage: Stage = {
  name: "tiny",
  kind: "language",
  parameters: () => Promise.resolve(initialRwkv({ version: 7, layers: 2, width: 64, vocab, seed: 1 })),
  // The head is frozen: checkpoints leave it out.
  groupOf: (name, dims) => ({
    lr_scale: name === "head.weight" ? 0 : 1,
    weight_decay: dims.length > 1 ? 0.01 : 0,
  }),
  numbers: { carry: 1, l2wrap: 1e-4 },
  settings: { seed: 1 },
  batch: (micro_step) => {
    // Rows count up by one or two: learnable, and the start is told only by the carried state.
    const tokens = new Int32Array(rows * length), targets = new Int32Array(rows * length);
    for (let index = 0; index < tokens.length; index++) {
      const row = Math.floor(index / length), at = micro_step * length + index % length;
      tokens[index] = (at * (row + 1)) % vocab;
      targets[index] = index % 3 === 0 ? -100 : ((at + 1) * (row + 1)) % vocab;
    }
    const dims = [rows, length],
      reset = Int32Array.from({ length: rows }, () => Number(micro_step % 16 === 0));
    return Promise.resolve({
      tokens: { dims, data: tokens },
      targets: { dims, data: targets },
      reset: { dims: [rows], data: reset },
    });
  },
};

export function tinyOptions(out_dir: string, steps = 200): RunOptions {
  const schedule = { lr_init: 3e-3, lr_final: 1e-4, warmup_steps: 20, total_steps: 2 * steps };
  return {
    ...{ steps, accumulate: 2, lrOf: (step) => cosineLr(2 * step, schedule) },
    ...{ beta1: 0.9, beta2: 0.99, eps: 1e-8, clip: 1, out_dir },
    ...{ checkpoint_every_steps: 20, validate_every_steps: 0, save_every_steps: 0 },
  };
}

export async function trainTiny(out_dir: string): Promise<void> {
  using trainer = openTrainer({ library_path: trainer_path, kind: "language", device: "cpu", threads: 1 });
  const say = { line: () => {} };
  await runStage(tiny_stage, trainer, tinyOptions(out_dir), { signal: new AbortController().signal, say });
}

if (import.meta.main) await trainTiny(Deno.args[0]!);
