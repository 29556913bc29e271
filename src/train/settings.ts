// What must be the same for a run to go on, as a flat list, and how two lists differ. Must not know files.
import { createHash } from "node:crypto";
import { TrainError } from "./errors.ts";
import type { RunOptions, Stage } from "./stage.ts";

export type Settings = Readonly<Record<string, string | number>>;

/** A run that differs only between these points of its schedule is taken for the same. */
const schedule_samples = 8;
const shown_max = 6;

/** `groups`: how every tensor is trained, in the order of names. */
export function settingsOf(stage: Stage, options: RunOptions, tensors: TensorSettings): Settings {
  const { steps, accumulate, beta1, beta2, eps, clip } = options;
  const settings: Record<string, string | number> = {
    stage: stage.name,
    kind: stage.kind,
    steps,
    accumulate,
    beta1,
    beta2,
    eps,
    clip,
    groups: groupDigest(stage, tensors),
  };
  for (const [name, value] of Object.entries(stage.numbers)) settings[name] = value;
  for (const [name, value] of Object.entries(stage.settings ?? {})) settings[name] = value;
  for (let sample = 0; sample <= schedule_samples; sample++) {
    const step = Math.floor(Math.max(0, steps - 1) * sample / schedule_samples);
    settings[`learning rate at step ${step}`] = options.lrOf(step);
    if (options.decayScaleOf) settings[`decay at step ${step}`] = options.decayScaleOf(step);
  }
  return settings;
}

export type TensorSettings = readonly { name: string; dims: readonly number[] }[];

function groupDigest(stage: Stage, tensors: TensorSettings): string {
  const hash = createHash("sha256");
  for (const { name, dims } of tensors) {
    const { lr_scale, weight_decay } = stage.groupOf(name, dims);
    hash.update(`${name} ${dims.join(",")} ${lr_scale} ${weight_decay}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}

/** Throws TrainError when the run in `dir` was begun with others. */
export function refuseOthers(dir: string, found: Settings, wanted: Settings): void {
  const names = new Set([...Object.keys(found), ...Object.keys(wanted)]);
  const lines = [...names].filter((name) => found[name] !== wanted[name]).map((name) =>
    `${name} was ${found[name] ?? "not set"}, now it is ${wanted[name] ?? "not set"}`
  );
  if (lines.length === 0) return;
  const more = lines.length > shown_max ? [`${lines.length - shown_max} more`] : [];
  throw new TrainError(
    "run_differs",
    `Cannot go on with the run in "${dir}": it was begun with other settings; use them, or another folder:\n${
      [...lines.slice(0, shown_max), ...more].map((line) => `  ${line}`).join("\n")
    }`,
  );
}
