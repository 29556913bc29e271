// GGUF's k-quant blocks: 256 numbers in groups of 16 or 32, each group with a small whole-number scale (and least
// value) of its own under one float16. Q2_K, Q3_K, Q4_K, Q5_K, Q6_K. Must not know files.
import type { BlockDecoder } from "./block_types.ts";

const { fround } = Math;

/**
 * 16 bytes of scales (low half) and least values (high half), 64 bytes of 2-bit numbers, d, dmin. Each 32 bytes hold
 * 128 numbers: the lowest two bits of every byte are the first 32 of them.
 */
export const decodeQ2K: BlockDecoder = ({ bytes, half }, at, out, to) => {
  const d = half(at + 80);
  const d_min = half(at + 82);
  for (let group = 0; group < 16; group++) {
    const scale = fround(d * (bytes[at + group]! & 15));
    const least = fround(d_min * (bytes[at + group]! >> 4));
    const { from, shift } = twoBitPlace(group);
    for (let l = 0; l < 16; l++) {
      out[to + 16 * group + l] = fround(scale * (bytes[at + 16 + from + l]! >> shift & 3)) - least;
    }
  }
};

/** Group of 16 numbers → first byte among the 64 of 2-bit numbers, and how far its bits are up. */
function twoBitPlace(group: number): { from: number; shift: number } {
  const in_half = group & 7;
  return { from: 32 * (group >> 3) + 16 * (in_half & 1), shift: in_half & 6 };
}

/**
 * 32 bytes of third bits (bit 4·half + quarter of byte l), 64 bytes of lower bits as in Q2_K, 12 bytes with 16
 * scales of 6 bits, d. A number is its lower bits, less 4 when its third bit is not set.
 */
export const decodeQ3K: BlockDecoder = ({ bytes, half }, at, out, to) => {
  const d = half(at + 108);
  for (let group = 0; group < 16; group++) {
    const low = bytes[at + 96 + (group & 7)]! >> (group < 8 ? 0 : 4) & 15;
    const high = bytes[at + 104 + (group & 3)]! >> 2 * (group >> 2) & 3;
    const scale = fround(d * ((low | high << 4) - 32));
    const { from, shift } = twoBitPlace(group);
    const third_bit = group >> 1;
    for (let l = 0; l < 16; l++) {
      const lower = bytes[at + 32 + from + l]! >> shift & 3;
      const third = bytes[at + 16 * (group & 1) + l]! >> third_bit & 1;
      out[to + 16 * group + l] = scale * (lower - (third ? 0 : 4));
    }
  }
};

/** d, dmin, 12 bytes of scales, 128 bytes: each 32 bytes hold 32 numbers in the low halves, 32 in the high ones. */
export const decodeQ4K: BlockDecoder = ({ bytes, half }, at, out, to) => {
  const d = half(at);
  const d_min = half(at + 2);
  for (let group = 0; group < 8; group++) {
    const scale = fround(d * sixBitScale(bytes, at + 4, group));
    const least = fround(d_min * sixBitLeast(bytes, at + 4, group));
    const from = at + 16 + 32 * (group >> 1);
    const shift = 4 * (group & 1);
    for (let l = 0; l < 32; l++) {
      out[to + 32 * group + l] = fround(scale * (bytes[from + l]! >> shift & 15)) - least;
    }
  }
};

/** Q4_K with 32 bytes of fifth bits (bit g of byte l belongs to group g) before the 128. */
export const decodeQ5K: BlockDecoder = ({ bytes, half }, at, out, to) => {
  const d = half(at);
  const d_min = half(at + 2);
  for (let group = 0; group < 8; group++) {
    const scale = fround(d * sixBitScale(bytes, at + 4, group));
    const least = fround(d_min * sixBitLeast(bytes, at + 4, group));
    const from = at + 48 + 32 * (group >> 1);
    const shift = 4 * (group & 1);
    for (let l = 0; l < 32; l++) {
      const fifth = (bytes[at + 16 + l]! >> group & 1) << 4;
      out[to + 32 * group + l] = fround(scale * (bytes[from + l]! >> shift & 15 | fifth)) - least;
    }
  }
};

/** 8 scales and 8 least values of 6 bits in 12 bytes: those of groups 4 to 7 lend their upper bits to the first 8. */
function sixBitScale(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + group]! & 63;
  return bytes[at + group + 4]! & 15 | bytes[at + group - 4]! >> 6 << 4;
}

function sixBitLeast(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + group + 4]! & 63;
  return bytes[at + group + 4]! >> 4 | bytes[at + group]! >> 6 << 4;
}

/**
 * 128 bytes of lower halves, 64 bytes of upper two bits, 16 scales with sign, d. Each 128 numbers take 64 bytes and
 * 32 bytes: quarter q of 32 numbers has its low bits in byte half q & 1 (low or high halves by q >> 1).
 */
export const decodeQ6K: BlockDecoder = ({ bytes, half }, at, out, to) => {
  const d = half(at + 208);
  for (let group = 0; group < 16; group++) {
    const scale = fround(d * (bytes[at + 192 + group]! << 24 >> 24));
    const quarter = group >> 1 & 3;
    const from = 16 * (group & 1);
    const low = at + 64 * (group >> 3) + 32 * (quarter & 1) + from;
    const high = at + 128 + 32 * (group >> 3) + from;
    for (let l = 0; l < 16; l++) {
      const lower = bytes[low + l]! >> 4 * (quarter >> 1) & 15;
      const upper = bytes[high + l]! >> 2 * quarter & 3;
      out[to + 16 * group + l] = scale * ((lower | upper << 4) - 32);
    }
  }
};
