// Learning rate and decay over a run, counted in micro-steps (spec 6.4). Must not know optimizers or runs.

export interface Schedule {
  lr_init: number;
  lr_final: number;
  /** Micro-steps. Upstream's default -1 shifts the curve by one. */
  warmup_steps: number;
  /** Micro-steps of the whole run, with those before its beginning. */
  total_steps: number;
}

/** How far the curve has come, 0 to 1. */
export function progressAt(micro_step: number, { warmup_steps, total_steps }: Schedule): number {
  const progress = (micro_step - warmup_steps + 1) / (total_steps - warmup_steps);
  return Math.min(1, Math.max(0, progress));
}

function warmUp(micro_step: number, { warmup_steps }: Schedule): number {
  return micro_step < warmup_steps ? 0.1 + 0.9 * micro_step / warmup_steps : 1;
}

/** Half a cosine from lr_init to lr_final; the beginning rises from a tenth. */
export function cosineLr(micro_step: number, schedule: Schedule): number {
  const { lr_init, lr_final } = schedule;
  const left = (1 + Math.cos(Math.PI * progressAt(micro_step, schedule))) / 2;
  return (lr_final + (lr_init - lr_final) * left) * warmUp(micro_step, schedule);
}

/** A straight line from lr_init to lr_final; the beginning rises from a tenth. */
export function linearLr(micro_step: number, schedule: Schedule): number {
  const { lr_init, lr_final } = schedule;
  const left = 1 - progressAt(micro_step, schedule);
  return (lr_final + (lr_init - lr_final) * left) * warmUp(micro_step, schedule);
}

/** What the decay is multiplied with: moves geometrically from 1 to final / initial. 1 where there is no final decay. */
export function decayScale(
  micro_step: number,
  schedule: Schedule,
  { initial, final }: { initial: number; final: number },
): number {
  if (final <= 0 || initial <= 0) return 1;
  return (final / initial) ** progressAt(micro_step, schedule);
}
