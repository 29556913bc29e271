// The error of training data: what can be wrong with a data file as a whole, or with what was asked of it. Single rows
// never throw: they are skipped, counted and reported.
import { GanderError } from "../../errors.ts";

export type DataCode = "data_unreadable" | "data_invalid" | "data_options";

/**
 * data_unreadable: a file or folder is not there, or the system does not let us read it.
 * data_invalid: the file is no data file, or nothing in it can be trained on.
 * data_options: options contradict each other or the files.
 */
export class DataError extends GanderError {
  override readonly name = "DataError";
  constructor(override readonly code: DataCode, message: string, options?: ErrorOptions) {
    super(code, message, "never", options);
  }
}
