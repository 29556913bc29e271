// Opens files that are only in memory and reads all they promise, for tests of the containers. Must not know formats.
import { expect } from "@std/expect";
import { memorySource } from "../../src/model/import/byte_source.ts";
import type { Checkpoint, CheckpointTensor } from "../../src/model/import/checkpoint.ts";
import { ImportError } from "../../src/model/import/import_error.ts";
import { joinContainers } from "../../src/model/import/open_checkpoint.ts";

export function openBytes(bytes: Uint8Array<ArrayBuffer>, path = "x.bin"): Promise<Checkpoint> {
  return joinContainers([memorySource(path, bytes)]);
}

export async function floatsOf(tensor: CheckpointTensor): Promise<number[]> {
  const floats: number[] = [];
  for await (const piece of tensor.readFloats()) for (const value of piece) floats.push(value);
  return floats;
}

/** The error that opening gives; the test fails when it opens, or with a sentence of the wrong form. */
export async function refusalOf(bytes: Uint8Array<ArrayBuffer>): Promise<ImportError> {
  const error = await openBytes(bytes).then(() => undefined, (error) => error);
  expect(error).toBeInstanceOf(ImportError);
  expect(error.message).toMatch(/^Cannot import "x\.bin": [^\n]*[^.]\.$/);
  return error;
}
