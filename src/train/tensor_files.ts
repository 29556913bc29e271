// Tensors of a finished stage as a file, and back: what one stage hands to the next. Must not know stages or names.
import { openCheckpoint } from "../model/import/open_checkpoint.ts";
import { encodeFloats } from "../model/import/float_encoding.ts";
import { writeSafetensors, type WrittenType } from "../model/import/safetensors_writer.ts";
import { readTensor } from "./llava/memory_checkpoint.ts";
import type { NamedTensor } from "./ports.ts";

/** A safetensors file, whole or not at all. */
export async function saveTensors(
  path: string,
  tensors: ReadonlyMap<string, NamedTensor>,
  origin: string,
  type: WrittenType = "f32",
): Promise<void> {
  const entries = [...tensors].map(([name, { dims, data }]) => ({
    ...{ name, type, shape: dims },
    chunks: async function* () {
      yield encodeFloats(Float32Array.from(data), type);
    },
  }));
  await writeSafetensors(`${path}.part`, entries, { origin });
  await Deno.rename(`${path}.part`, path);
}

/** Of any container that Gander reads (.pth, .safetensors). Throws ImportError; RangeError for numbers that are not finite. */
export async function loadTensors(path: string): Promise<Map<string, NamedTensor>> {
  await using checkpoint = await openCheckpoint([path]);
  const tensors = new Map<string, NamedTensor>();
  for (const [name, tensor] of checkpoint.tensors) tensors.set(name, await readTensor(tensor));
  return tensors;
}
