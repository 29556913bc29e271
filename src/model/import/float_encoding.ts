// float32 numbers to the bytes that a safetensors file holds. Must not know files.
import type { WrittenType } from "./safetensors_writer.ts";

/** Little-endian; nearest, ties to even. The result shares memory with `floats` when nothing changes. */
export function encodeFloats(floats: Float32Array<ArrayBuffer>, type: WrittenType): Uint8Array<ArrayBuffer> {
  if (type === "f32") return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
  if (type === "f16") return new Uint8Array(Float16Array.from(floats).buffer as ArrayBuffer);
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const out = new Uint16Array(bits.length);
  for (let index = 0; index < bits.length; index++) {
    const value = bits[index]!;
    // A NaN must not round up to infinity.
    out[index] = (value & 0x7fffffff) > 0x7f800000
      ? (value >>> 16) | 0x40
      : (value + 0x7fff + ((value >>> 16) & 1)) >>> 16;
  }
  return new Uint8Array(out.buffer);
}
