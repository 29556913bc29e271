// The error of the train room: what can end a run or keep it from beginning. Must not know FFI.
import { GanderError } from "../errors.ts";

export type TrainCode =
  | "run_differs"
  | "run_diverged"
  | "run_taken"
  | "checkpoint_damaged"
  | "train_invalid";

/**
 * run_differs: the folder holds a run with other settings; the message names them.
 * run_diverged: loss or gradients were not finite several steps in a row.
 * run_taken: another process trains into this folder.
 * checkpoint_damaged: no checkpoint of the folder opens.
 * train_invalid: a flag or a setting breaks a rule.
 */
export class TrainError extends GanderError {
  override readonly name = "TrainError";
  constructor(override readonly code: TrainCode, message: string, options?: ErrorOptions) {
    super(code, message, "never", options);
  }
}
