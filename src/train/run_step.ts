// One optimizer step: its micro-steps, with the next batch in the making, then the update. A loss that is no number skips
// the step. Must not know checkpoints, logs or schedules.
import type { BatchAhead } from "./batch_ahead.ts";
import type { Batch, Trainer } from "./ports.ts";

export interface StepOutcome {
  /** Mean over the micro-steps. Undefined when the step was skipped. */
  loss: number | undefined;
  parts: Record<string, number>;
  /** Of the mean gradient, before clipping. */
  grad_norm: number | undefined;
  /** Tokens that are not padding, or images. */
  items: number;
  /** Why nothing changed. */
  skipped: string | undefined;
}

/** Scalars beside the loss that a batch may leave; rwkv_train.h. */
const part_names = ["loss_class", "loss_box", "loss_clip"];
const padding = -2;

/** Verbs that compute; the code that says a result was no number. */
export function isNotFinite(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === "number";
}

/** `lr`: for this step. `micro_steps`: of the whole run; none is prepared beyond it. */
export async function takeStep(
  trainer: Trainer,
  ahead: BatchAhead,
  { first, count, micro_steps, lr }: { first: number; count: number; micro_steps: number; lr: number },
): Promise<StepOutcome> {
  const outcome: StepOutcome = {
    loss: undefined,
    parts: {},
    grad_norm: undefined,
    items: 0,
    skipped: undefined,
  };
  const sums = new Map<string, number>();
  try {
    for (let micro_step = first; micro_step < first + count; micro_step++) {
      const batch = await ahead.take(micro_step);
      outcome.items += itemsOf(batch);
      trainer.putBatch(batch);
      const running = trainer.accumulate();
      if (micro_step + 1 < micro_steps) ahead.prepare(micro_step + 1);
      await running;
      addScalars(trainer, sums);
    }
    trainer.setNumber("lr", lr);
    await trainer.apply();
  } catch (error) {
    if (!isNotFinite(error)) throw error;
    emptyBrokenState(trainer);
    return { ...outcome, skipped: (error as Error).message };
  }
  const { loss, ...parts } = Object.fromEntries([...sums].map(([name, sum]) => [name, sum / count]));
  const grad_norm = scalar(trainer, "grad_norm");
  return { ...outcome, loss, parts, grad_norm: grad_norm === undefined ? undefined : grad_norm / count };
}

function addScalars(trainer: Trainer, sums: Map<string, number>): void {
  for (const name of ["loss", ...part_names]) {
    const value = scalar(trainer, name);
    if (value !== undefined) sums.set(name, (sums.get(name) ?? 0) + value);
  }
}

/** Undefined when the newest verb left none. */
function scalar(trainer: Trainer, name: string): number | undefined {
  try {
    return trainer.readOutput(name).data[0];
  } catch {
    return undefined; // A kind of model, or a batch, without it.
  }
}

/** A state that is no number would spoil every batch to come: it begins anew, as after a cut. */
function emptyBrokenState(trainer: Trainer): void {
  const carried = trainer.readCarried();
  if (!carried || carried.data.every(Number.isFinite)) return;
  trainer.putCarried(carried.rows, new Float32Array(carried.data.length));
}

function itemsOf({ tokens, pixels }: Batch): number {
  if (pixels) return pixels.dims[0]!;
  let count = 0;
  for (const token of tokens?.data ?? []) if (token !== padding) count++;
  return count;
}
