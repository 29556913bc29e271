// Element types: how many bytes they take, and plain numbers as float32. Must not know files or GGUF's blocks.
import type { CheckpointTensor, PlainType } from "./checkpoint.ts";

export const plain_bytes: Readonly<Record<PlainType, number>> = {
  f64: 8,
  f32: 4,
  f16: 2,
  bf16: 2,
  i64: 8,
  i32: 4,
  i16: 2,
  i8: 1,
  u8: 1,
  bool: 1,
};

export function isPlain(type: CheckpointTensor["type"]): type is PlainType {
  return Object.hasOwn(plain_bytes, type);
}

/** Of all 65,536 half floats. Made on first use. */
let halves: Float32Array<ArrayBuffer> | undefined;

/** float32 of every bit pattern of float16; exact, infinities and NaN included. */
export function halfTable(): Float32Array<ArrayBuffer> {
  if (halves) return halves;
  const bits = new Uint32Array(1 << 16);
  for (let half = 0; half < bits.length; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 31;
    let fraction = half & 1023;
    if (exponent === 31) bits[half] = sign | 0x7f800000 | (fraction << 13);
    else if (exponent > 0) bits[half] = sign | ((exponent + 112) << 23) | (fraction << 13);
    else if (fraction > 0) {
      // Subnormal: shift until the leading bit is the hidden one.
      let shifted_exponent = 113;
      for (; (fraction & 1024) === 0; fraction <<= 1) shifted_exponent--;
      bits[half] = sign | (shifted_exponent << 23) | ((fraction & 1023) << 13);
    } else bits[half] = sign;
  }
  return halves = new Float32Array(bits.buffer);
}

/** Little-endian elements as float32. `bytes` is a buffer of its own; float32 shares it. */
export function decodePlain(type: PlainType, bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes;
  const count = byteLength / plain_bytes[type];
  switch (type) {
    case "f32":
      return new Float32Array(buffer, byteOffset, count);
    case "bf16": {
      const bits = new Uint32Array(count);
      const upper = new Uint16Array(buffer, byteOffset, count);
      for (let i = 0; i < count; i++) bits[i] = upper[i]! << 16;
      return new Float32Array(bits.buffer);
    }
    case "f16": {
      const table = halfTable();
      const floats = new Float32Array(count);
      const halves = new Uint16Array(buffer, byteOffset, count);
      for (let i = 0; i < count; i++) floats[i] = table[halves[i]!]!;
      return floats;
    }
    case "f64":
      return new Float32Array(new Float64Array(buffer, byteOffset, count));
    case "i64":
      return Float32Array.from(new BigInt64Array(buffer, byteOffset, count), Number);
    case "i32":
      return new Float32Array(new Int32Array(buffer, byteOffset, count));
    case "i16":
      return new Float32Array(new Int16Array(buffer, byteOffset, count));
    case "i8":
      return new Float32Array(new Int8Array(buffer, byteOffset, count));
    case "u8":
      return new Float32Array(bytes);
    case "bool":
      return Float32Array.from(bytes, (byte) => byte === 0 ? 0 : 1);
  }
}
