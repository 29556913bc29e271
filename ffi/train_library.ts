// Opens the trainer library, explicitly and with its ABI version checked; importing this file opens nothing.
// Must not know trainers, tensors or batches.

import { abi_version, symbols } from "./_train_symbols.ts";
import { TrainerError } from "./trainer_errors.ts";

export type TrainLibrary = Deno.DynamicLibrary<typeof symbols>["symbols"];

/** Opened once and never closed: libtorch keeps threads and thread-local things that do not survive it. */
const opened = new Map<string, TrainLibrary>();

/**
 * The shared library at `path` (needs `--allow-ffi=PATH`, nothing wider).
 * Throws TrainerError: "file" when it cannot be opened, "misuse" when it was built from another header.
 */
export function openTrainLibrary(path: string): TrainLibrary {
  const known = opened.get(path);
  if (known) return known;
  let dylib: Deno.DynamicLibrary<typeof symbols>;
  try {
    dylib = Deno.dlopen(path, symbols);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    const reason = exists(path)
      ? (cause instanceof Error ? cause.message : String(cause))
      : "it is not there; run native/train/build.sh, which needs libtorch";
    throw new TrainerError("file", `Cannot open trainer library "${path}": ${reason}`, { cause });
  }
  const version = dylib.symbols.rwkv_train_abi_version();
  if (version !== abi_version) {
    dylib.close();
    const sentence =
      `Cannot use trainer library "${path}": it has ABI version ${version}, not ${abi_version}; build it again`;
    throw new TrainerError("misuse", sentence);
  }
  opened.set(path, dylib.symbols);
  return dylib.symbols;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
