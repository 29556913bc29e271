// The stage "lm": a language model on text alone. Every position learns the next one. Owns the batch of a micro-step and
// which tensors decay. Must not know files or trainers.
import { cubicOrder, drawsOf } from "../data_order.ts";
import { ignored } from "../llava/sequence.ts";
import { squeezedRank } from "../llava/freezing.ts";
import { exampleOf } from "../llava/passes.ts";
import { answerScores } from "../llava/answer_scores.ts";
import type { Batch, NamedTensor } from "../ports.ts";
import type { Group, Stage } from "../stage.ts";
import type { TokenWindows } from "./token_windows.ts";

export interface TextStageOptions {
  parameters: () => Promise<Map<string, NamedTensor>>;
  windows: TokenWindows;
  /** Scored every validate_every steps. */
  validation: TokenWindows | undefined;
  validation_windows: number;
  micro_bsz: number;
  begin_micro_steps: number;
  weight_decay: number;
  numbers: Readonly<Record<string, number>>;
  /** What must be the same for a run to go on. */
  settings: Readonly<Record<string, string | number>>;
}

export function textStage(options: TextStageOptions): Stage {
  const { windows, validation, micro_bsz, begin_micro_steps, weight_decay } = options;
  const order = cubicOrder(windows.count);
  return {
    name: "lm",
    kind: "language",
    parameters: options.parameters,
    groupOf: (name, dims) => textGroup(name, dims, weight_decay),
    numbers: { carry: 0, ...options.numbers },
    settings: options.settings,
    batch: (micro_step) => {
      const draws = drawsOf(micro_step, micro_bsz, begin_micro_steps);
      return Promise.resolve(packWindows(draws.map((draw) => windows.window(exampleOf(order, draw)))));
    },
    ...validation && {
      validate: async (evaluate) => {
        const count = Math.min(validation.count, options.validation_windows);
        const batchOf = (index: number) => Promise.resolve(packWindows([validation.window(index)]));
        const { loss, tokens_right } = await answerScores(evaluate, count, batchOf);
        return { loss: loss!, tokens_right: tokens_right! };
      },
    },
  };
}

/** As RWKV-7 is pre-trained: the decay's own bias moves twice as fast, and only matrices decay. */
export function textGroup(name: string, dims: readonly number[], weight_decay: number): Group {
  const decays = squeezedRank(dims) >= 2 && name.endsWith(".weight");
  return { lr_scale: name.endsWith(".att.w0") ? 2 : 1, weight_decay: decays ? weight_decay : 0 };
}

export function packWindows(windows: readonly Int32Array[]): Batch {
  const length = Math.max(...windows.map((window) => window.length - 1));
  const tokens = new Int32Array(windows.length * length).fill(-2);
  const targets = new Int32Array(windows.length * length).fill(ignored);
  for (const [row, window] of windows.entries()) {
    tokens.set(window.subarray(0, -1), row * length);
    targets.set(window.subarray(1), row * length);
  }
  const dims = [windows.length, length];
  return { tokens: { dims, data: tokens }, targets: { dims, data: targets } };
}
