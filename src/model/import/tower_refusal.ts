// What a tower's writer refuses, as an error of the importer: the tensors in its sentence by the names in the file.
// Must not know what is refused.
import type { CheckpointTensor } from "./checkpoint.ts";
import { nameInFile } from "./derived_tensor.ts";
import { importError } from "./import_error.ts";

/** Its RangeErrors become ImportError; others stay. `source`: the file's tensor behind a name that the writer knows. */
export function towerRefusal(
  error: unknown,
  file: string,
  source: (name: string) => CheckpointTensor | undefined,
): unknown {
  if (!(error instanceof RangeError)) return error;
  let found_in: string | undefined;
  const reason = error.message.replace(/"([^"]*)"/g, (_, names: string) => {
    const spelled = names.split(", ").map((name) => {
      const tensor = source(name);
      found_in ??= tensor?.file;
      return tensor === undefined ? name : nameInFile(tensor);
    });
    return `"${spelled.join(", ")}"`;
  });
  return importError("import_refused", found_in ?? file, reason, error);
}
