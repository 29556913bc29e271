// GGUF blocks of 32 numbers with one scale: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0. `d` is the scale and `m` the least value,
// both float16 in front; byte j holds number j in its low and number j + 16 in its high half.
// Must not know files.
import type { BlockDecoder } from "./block_types.ts";

const half_block = 16;
const { fround } = Math;

/** d · (q - 8), 4 bits. */
export const decodeQ40: BlockDecoder = ({ bytes, half }, at, out, to) => {
  const d = half(at);
  for (let j = 0; j < half_block; j++) {
    const pair = bytes[at + 2 + j]!;
    out[to + j] = ((pair & 15) - 8) * d;
    out[to + j + half_block] = ((pair >> 4) - 8) * d;
  }
};

/** d · q + m, 4 bits. */
export const decodeQ41: BlockDecoder = ({ bytes, half }, at, out, to) => {
  const d = half(at);
  const m = half(at + 2);
  for (let j = 0; j < half_block; j++) {
    const pair = bytes[at + 4 + j]!;
    out[to + j] = fround((pair & 15) * d) + m;
    out[to + j + half_block] = fround((pair >> 4) * d) + m;
  }
};

/** d · (q - 16); the fifth bits stand together in 32 bits in front of the pairs. */
export const decodeQ50: BlockDecoder = ({ bytes, half }, at, out, to) => {
  const d = half(at);
  for (let j = 0; j < half_block; j++) {
    const pair = bytes[at + 6 + j]!;
    out[to + j] = ((pair & 15 | fifthBit(bytes, at + 2, j)) - 16) * d;
    out[to + j + half_block] = ((pair >> 4 | fifthBit(bytes, at + 2, j + half_block)) - 16) * d;
  }
};

/** d · q + m with the fifth bits of Q5_0. */
export const decodeQ51: BlockDecoder = ({ bytes, half }, at, out, to) => {
  const d = half(at);
  const m = half(at + 2);
  for (let j = 0; j < half_block; j++) {
    const pair = bytes[at + 8 + j]!;
    out[to + j] = fround((pair & 15 | fifthBit(bytes, at + 4, j)) * d) + m;
    out[to + j + half_block] = fround((pair >> 4 | fifthBit(bytes, at + 4, j + half_block)) * d) + m;
  }
};

/** d · q, 8 bits with sign. */
export const decodeQ80: BlockDecoder = ({ bytes, half }, at, out, to) => {
  const d = half(at);
  for (let j = 0; j < 32; j++) out[to + j] = (bytes[at + 2 + j]! << 24 >> 24) * d;
};

/** 16 or 0. */
function fifthBit(bytes: Uint8Array, at: number, j: number): number {
  return (bytes[at + (j >> 3)]! >> (j & 7) & 1) << 4;
}
