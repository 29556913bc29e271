// The error of the model room: what can be wrong with a bundle on disk. Must not know HTTP or engines.
import { GanderError } from "../errors.ts";

export type ModelCode =
  | "bundle_missing"
  | "bundle_invalid"
  | "bundle_damaged"
  | "tokenizer_invalid";

/**
 * bundle_missing: the folder or one of its files is not there or cannot be opened.
 * bundle_invalid: the manifest breaks a rule, or says something else than the files.
 * bundle_damaged: a file is not the one the manifest describes (size, SHA-256, broken header).
 * tokenizer_invalid: the tokenizer file breaks a rule; the message names the line.
 */
export class ModelError extends GanderError {
  override readonly name = "ModelError";
  constructor(override readonly code: ModelCode, message: string, options?: ErrorOptions) {
    super(code, message, "never", options);
  }
}

/** `Cannot use bundle "x":` and one indented line per problem; with one problem, a single line. */
export function problemText(opening: string, problems: readonly string[]): string {
  if (problems.length === 1) return `${opening}: ${problems[0]}`;
  return `${opening}:\n${problems.map((line) => `  ${line}`).join("\n")}`;
}
