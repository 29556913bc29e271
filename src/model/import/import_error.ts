// The error of the importer: what can be wrong with a file of weights, or with writing a bundle from it.
// Must not know HTTP or engines.
import { GanderError } from "../../errors.ts";

export type ImportCode = "import_unreadable" | "import_refused" | "import_damaged" | "import_unwritable";

/**
 * import_unreadable: a file or folder is not there, or the system does not let us read it.
 * import_refused: the file is whole, but of a kind that is not read (another format, a foreign pickle, unknown weights).
 * import_damaged: the file is not what it claims to be: cut short, overlapping, contradicting itself.
 * import_unwritable: the result cannot be written.
 */
export class ImportError extends GanderError {
  override readonly name = "ImportError";
  constructor(override readonly code: ImportCode, message: string, options?: ErrorOptions) {
    super(code, message, "never", options);
  }
}

/** `Cannot import "x.pth": it ends inside "data.pkl".` The reason is half a sentence without a full stop. */
export function importError(code: ImportCode, path: string, reason: string, cause?: unknown): ImportError {
  return new ImportError(code, `Cannot import ${quote(path)}: ${reason}.`, { cause });
}

/** A name from a file, in quotes: short, and without anything a terminal could obey. */
export function quote(name: string, chars_max = 200): string {
  const shown = name.length > chars_max ? `${name.slice(0, chars_max)}…` : name;
  // JSON escapes C0 controls, and leaves C1 controls and direction marks as they are.
  return JSON.stringify(shown).replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, "\ufffd");
}
