// Batches of a stage, each asked for one micro-step before it is needed, so that it is made while the trainer works.
// Must not know trainers or runs.
import type { Batch } from "./ports.ts";
import type { Stage } from "./stage.ts";

export class BatchAhead {
  #next: { micro_step: number; batch: Promise<Batch> } | undefined;

  constructor(readonly stage: Pick<Stage, "batch">) {}

  /** The batch of a micro-step; waits for another that is on its way, so that the stage is never asked twice at once. */
  async take(micro_step: number): Promise<Batch> {
    if (this.#next && this.#next.micro_step !== micro_step) await this.settle();
    this.prepare(micro_step);
    const { batch } = this.#next!;
    try {
      return await batch;
    } finally {
      this.#next = undefined;
    }
  }

  /** Begins to make it. Nothing happens when one is on its way already. */
  prepare(micro_step: number): void {
    if (this.#next) return;
    const batch = this.stage.batch(micro_step);
    batch.catch(() => {}); // Whoever takes it hears of it.
    this.#next = { micro_step, batch };
  }

  /** Waits for what is on its way, and forgets it. */
  async settle(): Promise<void> {
    await this.#next?.batch.catch(() => {}); // It is not wanted any more.
    this.#next = undefined;
  }
}
