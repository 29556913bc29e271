// The built-in World-format vocabulary: every byte, the turn end, and words with a leading blank.
// Must not know weights.
import { words } from "./words.ts";

/** Ids 1..256 are the bytes. */
const turn_end = 257;
const word_first = 258;
const word_end = word_first + words.length;
/** Behind all text: nothing a person types can become silence. */
const silence = word_end;

export const seed_tokens = { byte_end: 257, turn_end, word_first, word_end, silence } as const;

/** V: rows of the embedding and of the head, padded to a multiple of 64. */
export const seed_vocab = Math.ceil((silence + 1) / 64) * 64;

/** The text of tokenizer.txt. `<silence>` is not in it: it has no text. */
export function writeSeedVocabulary(): string {
  const lines: string[] = [];
  for (let byte = 0; byte < 256; byte++) {
    const hex = byte.toString(16).padStart(2, "0");
    lines.push(byte < 0x80 ? `${byte + 1} '\\x${hex}' 1` : `${byte + 1} b'\\x${hex}' 1`);
  }
  lines.push(`${turn_end} '\\n\\n' 2`);
  words.forEach((word, index) => lines.push(`${word_first + index} ' ${word}' ${word.length + 1}`));
  return lines.join("\n") + "\n";
}
