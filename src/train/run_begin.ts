// How a run begins: with the stage's parameters, or where the newest checkpoint of its folder stands. Leaves the trainer
// ready for the next step. Must not know what happens in a step.
import { type CheckpointTensor, openCheckpoint, writeFrozen } from "./checkpoint.ts";
import { TrainError } from "./errors.ts";
import type { Trainer } from "./ports.ts";
import { refuseOthers, type Settings, settingsOf } from "./settings.ts";
import type { RunOptions, Stage } from "./stage.ts";

export interface Begun {
  /** Steps done. */
  step: number;
  applies: number;
  wall_s: number;
  settings: Settings;
  /** In the order of names, which is also the order the trainer knows. */
  tensors: readonly CheckpointTensor[];
}

/** Throws TrainError when the folder holds a run with other settings. */
export async function beginRun(
  stage: Stage,
  trainer: Trainer,
  options: RunOptions,
  complain: (sentence: string) => void,
): Promise<Begun> {
  await removeParts(options.out_dir);
  const begun = await goOn(stage, trainer, options, complain) ?? await beginNew(stage, trainer, options);
  for (const { name, dims } of begun.tensors) trainer.setGroup(name, stage.groupOf(name, dims));
  for (const [name, value] of Object.entries(stage.numbers)) trainer.setNumber(name, value);
  // Gradients of micro-steps add up. A norm and an epsilon as many times larger make the step of their mean: Adam's
  // quotient does not see the factor.
  const { beta1, beta2, eps, clip, accumulate } = options;
  const numbers = { beta1, beta2, eps: eps * accumulate, clip: clip * accumulate, step: begun.applies };
  for (const [name, value] of Object.entries(numbers)) trainer.setNumber(name, value);
  return begun;
}

async function beginNew(stage: Stage, trainer: Trainer, options: RunOptions): Promise<Begun> {
  const parameters = await stage.parameters();
  const tensors = [...parameters].map(([name, { dims }]) => (
    { name, dims, frozen: stage.groupOf(name, dims).lr_scale === 0 }
  )).sort(byName);
  if (tensors.length === 0) {
    throw new TrainError("train_invalid", `Cannot train "${stage.name}": it has no parameters`);
  }
  for (const { name } of tensors) trainer.putTensor(name, parameters.get(name)!);
  await writeFrozen(options.out_dir, {
    tensors,
    read: ({ name }) => new Float32Array(parameters.get(name)!.data),
  });
  return { step: 0, applies: 0, wall_s: 0, settings: settingsOf(stage, options, tensors), tensors };
}

async function goOn(
  stage: Stage,
  trainer: Trainer,
  options: RunOptions,
  complain: (sentence: string) => void,
): Promise<Begun | undefined> {
  const checkpoint = await openCheckpoint(options.out_dir, complain);
  if (!checkpoint) return undefined;
  const tensors = checkpoint.tensors.toSorted(byName);
  const settings = settingsOf(stage, options, tensors);
  refuseOthers(options.out_dir, checkpoint.settings, settings);
  for (const { name, dims, frozen } of tensors) {
    trainer.putTensor(name, { dims, data: await checkpoint.read(name, "value") });
    if (frozen) continue;
    for (const part of ["moment1", "moment2"] as const) {
      trainer.putTensor(name, { dims, data: await checkpoint.read(name, part) }, part);
    }
  }
  const carried = await checkpoint.carried();
  if (carried) trainer.putCarried(carried.rows, carried.data);
  const { step, applies, wall_s } = checkpoint;
  return { step, applies, wall_s, settings, tensors };
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** What a process that died was writing. */
async function removeParts(dir: string): Promise<void> {
  for await (const { name } of Deno.readDir(dir)) {
    if (name.endsWith(".part")) await Deno.remove(`${dir}/${name}`);
  }
}
