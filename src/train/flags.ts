// Flags of a run under upstream's names (spec 6.2), their help, and how they become options of a run. Must not know what
// is trained, nor how a command line is split into words.
import { TrainError } from "./errors.ts";
import { cosineLr, decayScale, linearLr, type Schedule } from "./schedule.ts";
import type { RunOptions } from "./stage.ts";

export interface RunFlag {
  /** As on the command line, without the dashes. */
  name: string;
  /** Text, as it would be given. */
  initial: string;
  /** For --help. */
  meaning: string;
}

export const flag = (name: string, initial: string, meaning: string): RunFlag => ({ name, initial, meaning });

export const train_run_flags: readonly RunFlag[] = [
  flag(
    "proj_dir",
    "out",
    "folder of checkpoints, log.jsonl, loss.html and weights; a run found there goes on",
  ),
  flag("lr_init", "6e-4", "learning rate at the beginning"),
  flag("lr_final", "1e-5", "learning rate at the end"),
  flag("lr_decay", "cosine", "how it gets there: cosine (as upstream) or linear"),
  flag("warmup_steps", "-1", "micro-steps in which the rate rises from a tenth; -1: none"),
  flag("beta1", "0.9", "of Adam"),
  flag("beta2", "0.99", "of Adam"),
  flag("adam_eps", "1e-8", "of Adam"),
  flag("grad_clip", "1", "largest global norm of a gradient; 0: any"),
  flag("weight_decay", "0", "decoupled, of tensors with two dimensions or more"),
  flag("weight_decay_final", "-1", "decay at the end, reached geometrically; -1: it stays"),
  flag("micro_bsz", "8", "samples of a micro-step"),
  flag("accumulate_grad_batches", "1", "micro-steps that make one optimizer step"),
  flag("epoch_steps", "1000", "micro-steps of a mini epoch"),
  flag("epoch_count", "1", "mini epochs of the run"),
  flag("epoch_begin", "0", "mini epochs that lie before it: shifts learning rate and order of data"),
  flag("epoch_save", "1", "write weights every so many mini epochs; 0: only at the end"),
  flag("checkpoint_steps", "200", "optimizer steps between two checkpoints, from which a killed run goes on"),
  flag("validate_steps", "0", "optimizer steps between two validations; 0: after every mini epoch"),
  flag(
    "random_seed",
    "1",
    "of weights and data; -1 is 0, for a run that could not be repeated could not go on",
  ),
  flag("grad_cp", "0", "1: keep less for the way back and compute it again; less memory, a third slower"),
  flag("precision", "fp32", "fp32, or bf16 on CUDA"),
  flag("accelerator", "auto", "auto, cpu or gpu"),
  flag("threads", "2", "threads of the trainer, 1 to 256; other numbers give other last bits"),
];

/** Flags by name: as text from the command line. */
export type FlagWords = Readonly<Record<string, string | undefined>>;

export interface RunFlags {
  /** What is missing in it is the stage's: onSave. */
  options: Omit<RunOptions, "onSave">;
  /** Samples of a micro-step. */
  micro_bsz: number;
  /** Micro-steps that lie before the run: for the order of data. */
  begin_micro_steps: number;
  weight_decay: number;
  seed: number;
  device: "auto" | "cpu" | "cuda";
  threads: number;
  /** By the names of rwkv_train.h, for a language stage. */
  numbers: { grad_checkpoint: number; bf16: number };
}

/** `initial`: other defaults of a command. Throws TrainError that names the flag. */
export function readRunFlags(words: FlagWords, initial: FlagWords = {}): RunFlags {
  const known = new Map(train_run_flags.map((one) => [one.name, one.initial]));
  const read = new Reader((name) => words[name] ?? initial[name] ?? known.get(name)!);
  const accumulate = read.count("accumulate_grad_batches", 1);
  const epoch_steps = read.count("epoch_steps", 1), epoch_count = read.count("epoch_count", 1);
  const epoch_begin = read.count("epoch_begin", 0), epoch_save = read.count("epoch_save", 0);
  if (epoch_steps % accumulate !== 0) {
    throw invalid(
      "epoch_steps",
      String(epoch_steps),
      `a multiple of --accumulate_grad_batches ${accumulate}`,
    );
  }
  const begin_micro_steps = epoch_begin * epoch_steps;
  const schedule: Schedule = {
    lr_init: read.number("lr_init", 0),
    lr_final: read.number("lr_final", 0),
    warmup_steps: read.count("warmup_steps", -1),
    total_steps: (epoch_begin + epoch_count) * epoch_steps,
  };
  const lrAt = read.word("lr_decay", ["cosine", "linear"]) === "linear" ? linearLr : cosineLr;
  const decay = { initial: read.number("weight_decay", 0), final: read.number("weight_decay_final", -1) };
  const microStep = (step: number) => step * accumulate + begin_micro_steps;
  const epoch_optimizer_steps = epoch_steps / accumulate;
  const device = ({ auto: "auto", cpu: "cpu", gpu: "cuda" } as const)[
    read.word("accelerator", ["auto", "cpu", "gpu"])
  ];
  return {
    options: {
      steps: epoch_count * epoch_optimizer_steps,
      accumulate,
      lrOf: (step) => lrAt(microStep(step), schedule),
      ...(decay.final > 0 && decay.initial > 0 && {
        decayScaleOf: (step: number) => decayScale(microStep(step), schedule, decay),
      }),
      beta1: read.number("beta1", 0),
      beta2: read.number("beta2", 0),
      eps: read.number("adam_eps", 0),
      clip: read.number("grad_clip", 0),
      out_dir: read.text("proj_dir"),
      checkpoint_every_steps: read.count("checkpoint_steps", 1),
      validate_every_steps: read.count("validate_steps", 0) || epoch_optimizer_steps,
      save_every_steps: epoch_save * epoch_optimizer_steps,
    },
    micro_bsz: read.count("micro_bsz", 1),
    begin_micro_steps,
    weight_decay: decay.initial,
    seed: Math.max(0, read.count("random_seed", -1)),
    device,
    threads: read.count("threads", 1),
    numbers: {
      grad_checkpoint: Number(read.word("grad_cp", ["0", "1"])),
      bf16: Number(read.word("precision", ["fp32", "bf16"]) === "bf16"),
    },
  };
}

class Reader {
  constructor(readonly text: (name: string) => string) {}

  /** A finite number of at least `min`. */
  number(name: string, min: number): number {
    const text = this.text(name), value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || value < min) {
      throw invalid(name, text, `a number of at least ${min}`);
    }
    return value;
  }

  count(name: string, min: number): number {
    const value = this.number(name, min);
    if (!Number.isSafeInteger(value)) {
      throw invalid(name, this.text(name), `a whole number of at least ${min}`);
    }
    return value;
  }

  word<T extends string>(name: string, words: readonly T[]): T {
    const text = this.text(name), found = words.find((word) => word === text);
    if (found === undefined) throw invalid(name, text, `one of ${words.join(", ")}`);
    return found;
  }
}

/** Numbers of a command's own flags by name. */
export type NumberReader = (name: string, min: number, max: number) => number;

/** Throws TrainError that names the flag. */
export function numberReader(words: FlagWords, flags: readonly RunFlag[]): NumberReader {
  const initials = new Map(flags.map(({ name, initial }) => [name, initial]));
  return (name, min, max) => {
    const text = words[name] ?? initials.get(name)!, value = Number(text);
    if (text.trim() !== "" && value >= min && value <= max) return value;
    throw invalid(name, text, `a number from ${min} to ${max}`);
  };
}

function invalid(name: string, text: string, wanted: string): TrainError {
  return new TrainError("train_invalid", `Cannot use --${name} "${text}": it is ${wanted}`);
}

/** Lines for --help. `initial` as for readRunFlags. */
export function runFlagsHelp(initial: FlagWords = {}): string {
  const lines = train_run_flags.map((one) => {
    const value = initial[one.name] ?? one.initial;
    return `  --${`${one.name} ${value}`.padEnd(30)} ${one.meaning}\n`;
  });
  return lines.join("");
}
