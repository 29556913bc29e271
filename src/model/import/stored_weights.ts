// Tensors of a checkpoint as entries of a bundle's weights: type kept or changed, bits kept where it is kept.
// Must not know RWKV.
import type { CheckpointTensor } from "./checkpoint.ts";
import { nameInFile } from "./derived_tensor.ts";
import { checkFinite } from "./finite_numbers.ts";
import { encodeFloats } from "./float_encoding.ts";
import { importError, quote } from "./import_error.ts";
import type { SafetensorsEntry, WrittenType } from "./safetensors_writer.ts";

/**
 * "keep": what the file has, f64 as f32. Blocks of GGUF become f16: rounding that moves logits by a few thousandths where
 * the blocks themselves moved them by hundredths; "f32" keeps what the blocks say exactly.
 */
export type StoredAs = WrittenType | "keep";

export function storedType({ type }: Pick<CheckpointTensor, "type">, stored_as: StoredAs): WrittenType {
  if (stored_as !== "keep") return stored_as;
  if (type === "f32" || type === "f16" || type === "bf16") return type;
  return type === "f64" ? "f32" : "f16";
}

/** `onPiece` is called before every piece; what it throws ends the writing. */
export function storedEntry(
  tensor: CheckpointTensor,
  stored_as: StoredAs,
  onPiece: () => void,
): SafetensorsEntry {
  const type = storedType(tensor, stored_as);
  return {
    name: tensor.name,
    type,
    shape: tensor.shape,
    async *chunks() {
      if (type === tensor.type) {
        for await (const piece of tensor.readBytes()) {
          onPiece();
          checkFinite(tensor, type, piece);
          yield piece;
        }
        return;
      }
      for await (const floats of tensor.readFloats()) {
        onPiece();
        if (type === "f16") checkRange(tensor, floats);
        const bytes = encodeFloats(floats, type);
        checkFinite(tensor, type, bytes);
        yield bytes;
      }
    },
  };
}

export function entryBytes(tensor: CheckpointTensor, stored_as: StoredAs): number {
  return tensor.elements * (storedType(tensor, stored_as) === "f32" ? 4 : 2);
}

/** The largest number that rounds to a finite float16. */
const half_max = 65_519;

function checkRange(tensor: CheckpointTensor, floats: Float32Array): void {
  for (const value of floats) {
    if (!(Math.abs(value) > half_max) || !Number.isFinite(value)) continue;
    const reason = `tensor ${
      quote(nameInFile(tensor))
    } holds ${value}, which f16 cannot; --dtype bf16 or f32 can`;
    throw importError("import_refused", tensor.file, reason);
  }
}
