// The run that drives every training stage: steps, checkpoints, log, plot page, progress. It may be killed at any moment
// and goes on bit for bit where its newest checkpoint stands. Must not know FFI or what a stage trains.
import { join } from "node:path";
import { BatchAhead } from "./batch_ahead.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { TrainError } from "./errors.ts";
import { train_limits } from "./limits.ts";
import { LossPage } from "./loss_page.ts";
import type { NamedTensor, Trainer } from "./ports.ts";
import { Progress, type Say } from "./progress.ts";
import { beginRun, type Begun } from "./run_begin.ts";
import { type LogRecord, RunLog } from "./run_log.ts";
import { type StepOutcome, takeStep } from "./run_step.ts";
import type { Evaluate, RunOptions, Stage } from "./stage.ts";

export interface RunPorts {
  /** Ends the run after the step under way, with a checkpoint. */
  signal: AbortSignal;
  say: Say;
  /** Monotonic. */
  now_ms?: () => number;
}

export interface RunEnd {
  /** Steps done, with those of earlier sessions. */
  step: number;
  /** All of them. */
  finished: boolean;
}

/** Throws TrainError, and what the trainer and the stage throw. The trainer stays open and is the caller's. */
export async function runStage(
  stage: Stage,
  trainer: Trainer,
  options: RunOptions,
  { signal, say, now_ms = () => performance.now() }: RunPorts,
): Promise<RunEnd> {
  const { out_dir } = options;
  await Deno.mkdir(out_dir, { recursive: true });
  using _lock = await takeFolder(out_dir);
  const begun = await beginRun(stage, trainer, options, say.line);
  const page = new LossPage(out_dir, `${stage.name}: training`, options.steps);
  using log = await RunLog.open(out_dir, begun.step, (record) => page.add(record));
  if (begun.step > 0) say.line(`going on after step ${begun.step} of ${options.steps}`);
  const run = new Run(stage, trainer, options, { begun, log, page, say, now_ms });
  return await run.drive(signal);
}

interface Parts {
  begun: Begun;
  log: RunLog;
  page: LossPage;
  say: Say;
  now_ms: () => number;
}

class Run {
  readonly #ahead: BatchAhead;
  readonly #progress: Progress;
  #step: number;
  #applies: number;
  #saved_step: number;
  #skipped_in_row = 0;
  /** Such that now - this is the training time of all sessions. */
  readonly #origin_ms: number;

  constructor(
    readonly stage: Stage,
    readonly trainer: Trainer,
    readonly options: RunOptions,
    readonly parts: Parts,
  ) {
    const { begun, say, now_ms } = parts;
    this.#ahead = new BatchAhead(stage);
    this.#progress = new Progress(say, now_ms);
    this.#step = this.#saved_step = begun.step;
    this.#applies = begun.applies;
    this.#origin_ms = now_ms() - begun.wall_s * 1000;
  }

  async drive(signal: AbortSignal): Promise<RunEnd> {
    const { steps, checkpoint_every_steps } = this.options;
    const { page, now_ms } = this.parts;
    try {
      while (this.#step < steps && !signal.aborted) {
        await this.#one();
        await this.#hand();
        const due = checkpoint_every_steps > 0 && this.#step % checkpoint_every_steps === 0;
        if (due || this.#step === steps) await this.#checkpoint();
        await page.write(now_ms(), false, true);
      }
      if (this.#step !== this.#saved_step) await this.#checkpoint();
    } finally {
      await this.#ahead.settle();
      await page.write(now_ms(), true, false);
    }
    return { step: this.#step, finished: this.#step >= steps };
  }

  async #one(): Promise<void> {
    const { stage, trainer, options: { accumulate, steps, lrOf, decayScaleOf } } = this;
    const { now_ms, log, page, begun } = this.parts;
    const begun_ms = now_ms(), step = this.#step, lr = lrOf(step);
    if (decayScaleOf) {
      const scale = decayScaleOf(step);
      for (const { name, dims } of begun.tensors) {
        const group = stage.groupOf(name, dims);
        trainer.setGroup(name, { ...group, weight_decay: group.weight_decay * scale });
      }
    }
    const plan = { first: step * accumulate, count: accumulate, micro_steps: steps * accumulate, lr };
    const outcome = await takeStep(trainer, this.#ahead, plan);
    this.#step++;
    if (outcome.skipped === undefined) this.#applies++;
    const record = this.#record(outcome, lr, now_ms() - begun_ms);
    const scores = await this.#validate();
    if (scores) record.scores = scores;
    log.append(record);
    page.add(record);
    this.#tell(record);
    this.#countSkipped(outcome);
  }

  #record({ loss, parts, grad_norm, items, skipped }: StepOutcome, lr: number, took_ms: number): LogRecord {
    const speed = Math.round(items / took_ms * 10_000) / 10;
    const wall_s = Math.round(this.parts.now_ms() - this.#origin_ms) / 1000;
    const unit = this.stage.kind === "tower" ? "images_per_s" : "tokens_per_s";
    const filled = Object.keys(parts).length > 0 && { parts };
    return { step: this.#step, loss, ...filled, lr, grad_norm, [unit]: speed, wall_s, skipped };
  }

  #tell(record: LogRecord): void {
    const { say } = this.parts;
    const { step, loss, lr = 0, tokens_per_s, images_per_s, scores, skipped } = record;
    if (skipped !== undefined) say.line(`step ${step} changed nothing: ${skipped}`);
    if (scores) {
      const words = Object.entries(scores).map(([name, value]) => `${name} ${value.toPrecision(4)}`);
      say.line(`after step ${step}: ${words.join("  ")}`);
    }
    const speed = images_per_s === undefined
      ? `${Math.round(tokens_per_s ?? 0)} tokens/s`
      : `${Math.round(images_per_s)} images/s`;
    this.#progress.update({ step, steps: this.options.steps, loss, lr, speed });
  }

  #countSkipped({ skipped }: StepOutcome): void {
    this.#skipped_in_row = skipped === undefined ? 0 : this.#skipped_in_row + 1;
    if (this.#skipped_in_row < train_limits.skipped_in_row_max) return;
    throw new TrainError(
      "run_diverged",
      `Cannot go on with "${this.stage.name}": ${this.#skipped_in_row} steps in a row up to ${this.#step} changed ` +
        `nothing (${skipped}); try a lower learning rate`,
    );
  }

  async #validate(): Promise<Record<string, number> | undefined> {
    const { stage, trainer, options: { validate_every_steps, steps } } = this;
    if (!stage.validate || !isDue(this.#step, validate_every_steps, steps)) return undefined;
    const carried = trainer.readCarried();
    const evaluate: Evaluate = async (batch, outputs) => {
      trainer.putBatch(batch);
      await trainer.evaluate();
      return Object.fromEntries(outputs.map((name) => [name, trainer.readOutput(name)]));
    };
    const scores = await stage.validate(evaluate);
    if (carried) trainer.putCarried(carried.rows, carried.data);
    return scores;
  }

  /** Gives the values away when they are due; before the checkpoint, so that a crash between the two repeats it. */
  async #hand(): Promise<void> {
    const { onSave, save_every_steps, steps } = this.options;
    if (!onSave || !isDue(this.#step, save_every_steps, steps)) return;
    const parameters = new Map<string, NamedTensor>();
    for (const { name, dims } of this.parts.begun.tensors) {
      parameters.set(name, { dims, data: this.trainer.readTensor(name, elementsOf(dims)) });
    }
    await onSave(this.#step, parameters);
  }

  async #checkpoint(): Promise<void> {
    const { trainer, options: { out_dir } } = this;
    const { begun: { tensors, settings }, log, now_ms } = this.parts;
    await log.sync();
    await writeCheckpoint(out_dir, {
      ...{
        step: this.#step,
        applies: this.#applies,
        wall_s: (now_ms() - this.#origin_ms) / 1000,
        settings,
        tensors,
      },
      read: ({ name, dims }, part) =>
        trainer.readTensor(name, elementsOf(dims), part) as Float32Array<ArrayBuffer>,
      carried: trainer.readCarried(),
    });
    this.#saved_step = this.#step;
  }
}

/** Every so many steps, and after the last. 0: only then. */
function isDue(step: number, every_steps: number, steps: number): boolean {
  return step === steps || every_steps > 0 && step % every_steps === 0;
}

function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** One process in a folder: the lock goes with it, however it ends. */
async function takeFolder(dir: string): Promise<Deno.FsFile> {
  const file = await Deno.open(join(dir, "lock"), { write: true, create: true });
  if (await file.tryLock(true)) return file;
  file.close();
  throw new TrainError("run_taken", `Cannot train into "${dir}": another process does`);
}
