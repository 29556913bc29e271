// What one file gives the importer. Types only.
import type { CheckpointFile, CheckpointTensor } from "./checkpoint.ts";

export interface Container {
  readonly container: CheckpointFile["container"];
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly metadata: ReadonlyMap<string, unknown>;
}
