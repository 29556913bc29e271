// Tensors in memory as a checkpoint, so that what was made here goes through the same door as what lies in files.
// Must not know names.
import type { Checkpoint, CheckpointTensor } from "../../model/import/checkpoint.ts";
import type { NamedTensor } from "../ports.ts";

/** `first` and the tensors of `more` beside it; closing it closes `first`. A name that is there stays as it is. */
export function besideCheckpoint(
  first: Checkpoint | undefined,
  more: ReadonlyMap<string, NamedTensor>,
): Checkpoint {
  const file = first?.files[0]?.path ?? "memory";
  const tensors = new Map<string, CheckpointTensor>();
  for (const [name, tensor] of more) tensors.set(name, memoryTensor(name, tensor, file));
  for (const [name, tensor] of first?.tensors ?? []) tensors.set(name, tensor);
  return {
    files: first?.files ?? [{ path: file, bytes: 0, container: "safetensors" }],
    tensors,
    metadata: first?.metadata ?? new Map(),
    [Symbol.asyncDispose]: async () => await first?.[Symbol.asyncDispose](),
  };
}

function memoryTensor(name: string, { dims, data }: NamedTensor, file: string): CheckpointTensor {
  const copy = () => new Float32Array(data);
  return {
    ...{ name, type: "f32", shape: dims, elements: data.length, stored_bytes: data.byteLength, file },
    async *readFloats() {
      yield copy();
    },
    async *readBytes() {
      yield new Uint8Array(copy().buffer);
    },
  };
}

/** All of a tensor as float32. */
export async function readTensor(
  tensor: CheckpointTensor,
): Promise<NamedTensor & { data: Float32Array<ArrayBuffer> }> {
  const data = new Float32Array(tensor.elements);
  let end = 0;
  for await (const piece of tensor.readFloats()) {
    data.set(piece, end);
    end += piece.length;
  }
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new RangeError(`Tensor "${tensor.name}" of "${tensor.file}" holds ${data[bad]}`);
  return { dims: [...tensor.shape], data };
}
