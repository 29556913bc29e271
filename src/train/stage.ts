// What a training stage is to the run that drives it (run.ts): parameters, how each is trained, and a batch for every
// micro-step. Must not know checkpoints, schedules or the trainer.
import type { Batch, NamedTensor } from "./ports.ts";

export interface Group {
  /** Of the schedule's learning rate; 0 freezes. */
  lr_scale: number;
  weight_decay: number;
}

export interface Stage {
  name: string;
  kind: "language" | "tower";
  /** Freshly made or loaded from a file; asked once, when a run begins that has no checkpoint. */
  parameters(): Promise<Map<string, NamedTensor>>;
  groupOf(name: string, dims: readonly number[]): Group;
  /** Settings of the model by the names of rwkv_train.h: l2wrap, carry, grad_checkpoint, bf16. */
  numbers: Readonly<Record<string, number>>;
  /** Whatever else must be the same for a run to go on (seed, data, sizes), so that it is refused by name when it is not. */
  settings?: Readonly<Record<string, string | number>>;
  /**
   * The batch of a micro-step (0, 1, …). A pure function of the number, so that a run which goes on after kill -9 needs to
   * know no more of the data than where it was. The run may ask for a batch ahead of time, and never twice at once.
   */
  batch(micro_step: number): Promise<Batch>;
  /** Scores on data that is not trained on, for the log; asked every `validate_every` steps with the trainer ready. */
  validate?(evaluate: Evaluate): Promise<Record<string, number>>;
}

/** Forward only, on the parameters as they are: the named outputs. The carried state is put back afterwards. */
export type Evaluate = (
  batch: Batch,
  outputs: readonly string[],
) => Promise<Record<string, NamedTensor>>;

export interface RunOptions {
  /** Optimizer steps of the whole run. */
  steps: number;
  /** Micro-steps whose gradients make one step. */
  accumulate: number;
  /** Learning rate for a step, 0-based (spec 6.4). */
  lrOf(step: number): number;
  /** What every group's weight decay is multiplied with at a step. Left out: 1. */
  decayScaleOf?(step: number): number;
  beta1: number;
  beta2: number;
  eps: number;
  clip: number;
  /** Where checkpoints, the log (log.jsonl) and the plot page (loss.html) go. A run found there goes on. */
  out_dir: string;
  checkpoint_every_steps: number;
  validate_every_steps: number;
  /** Every mini epoch, and at the end: values as they are (spec 6.2, epoch_save). */
  save_every_steps: number;
  onSave?(step: number, parameters: Map<string, NamedTensor>): Promise<void>;
}
