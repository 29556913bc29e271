// Where the trainer library lies after native/train/build.sh, and why tests that need it are skipped when it does not.

import { openTrainLibrary } from "../../ffi/train_library.ts";

const names: Partial<Record<typeof Deno.build.os, string>> = {
  darwin: "librwkv_train.dylib",
  windows: "rwkv_train.dll",
};

const name = names[Deno.build.os] ?? "librwkv_train.so";

export const trainer_path: string = new URL(`../../native/train/build/${name}`, import.meta.url).pathname;

/** Undefined when the library is there. */
export const no_trainer: string | undefined = await Deno.stat(trainer_path).then(
  () => undefined,
  () => "the trainer library is not built; run native/train/build.sh, which needs libtorch",
);

// It stays open for the life of the process; opened here, no test is blamed for that.
if (!no_trainer) openTrainLibrary(trainer_path);
