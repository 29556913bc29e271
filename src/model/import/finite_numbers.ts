// NaN and infinity in weights are found while they pass: an engine would refuse them when it loads, or speak nonsense.
// Must not know names of weights.
import type { CheckpointTensor } from "./checkpoint.ts";
import { nameInFile } from "./derived_tensor.ts";
import { importError, quote } from "./import_error.ts";
import type { WrittenType } from "./safetensors_writer.ts";

/** The exponent, and its lowest bit: added to an exponent of ones it reaches the sign's place. Halves two at a time. */
const exponents = {
  bf16: { mask: 0x7f807f80, step: 0x00800080, top: 0x80008000 },
  f16: { mask: 0x7c007c00, step: 0x04000400, top: 0x80008000 },
  f32: { mask: 0x7f800000, step: 0x00800000, top: 0x80000000 },
} as const;

/** Whether all of the little-endian numbers are finite. `bytes` stand at the begin of a buffer, as pieces do. */
export function areFinite(type: WrittenType, { buffer, byteLength }: Uint8Array<ArrayBuffer>): boolean {
  const { mask, step, top } = exponents[type];
  const words = new Uint32Array(buffer, 0, byteLength >> 2);
  let seen = 0;
  for (let i = 0; i < words.length; i++) seen |= (words[i]! & mask) + step;
  if (byteLength & 2) seen |= (new Uint16Array(buffer, byteLength - 2, 1)[0]! & mask) + step;
  return (seen & top) === 0;
}

/** Throws ImportError. */
export function checkFinite(
  tensor: CheckpointTensor,
  type: WrittenType,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  if (!areFinite(type, bytes)) throw notFinite(tensor, `as ${type} `);
}

/** Throws ImportError. */
export function checkFiniteFloats(tensor: CheckpointTensor, floats: Float32Array<ArrayBuffer>): void {
  if (!areFinite("f32", new Uint8Array(floats.buffer, 0, floats.byteLength))) throw notFinite(tensor, "");
}

function notFinite(tensor: CheckpointTensor, as_type: string) {
  const reason = `tensor ${quote(nameInFile(tensor))} ${as_type}holds NaN or infinity, which is no weight`;
  return importError("import_refused", tensor.file, reason);
}
