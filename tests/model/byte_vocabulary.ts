// The smallest vocabulary that can spell everything, as a file of the World format. Must not know who reads it.

/** Ids 1 to 256 are the bytes. */
export function byteVocabulary(): string {
  const hex = (byte: number) => byte.toString(16).padStart(2, "0");
  return Array.from({ length: 256 }, (_, byte) => `${byte + 1} b'\\x${hex(byte)}' 1\n`).join("");
}
