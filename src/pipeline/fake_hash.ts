// The arithmetic of the fake engine: what stands for a model that understands. Must not know states.
export const blob_magic = 0x454b4146; // "FAKE"

/** One round of a 32-bit mix (the finaliser constants of MurmurHash3, public domain). */
export function mix(hash: number, word: number): number {
  let x = Math.imul(hash ^ word, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

export function checksumOf(a: number, b: number, fed_count: number): number {
  return mix(mix(mix(blob_magic, a), b), fed_count);
}
