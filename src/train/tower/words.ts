// Words as a tower's text side takes them: ids in rows of one width, -1 behind the end. Must not know vocabularies or
// pictures.
import type { BatchInput } from "../ports.ts";

/** A vocabulary, as far as a tower needs it. */
export interface Words {
  /** Pieces begin with their blank: " a dog". */
  encode(text: string): readonly number[];
  /** V: rows of the embedding. */
  size: number;
}

/** Ids of a row; what is longer is cut off. */
const row_words_max = 64;

/** int32 [texts, n]. Blanks around a text do not matter; an empty one is a row without words. */
export function wordRows(words: Words, texts: readonly string[]): BatchInput {
  const rows = texts.map((text) => {
    const trimmed = text.trim();
    return trimmed === "" ? [] : words.encode(` ${trimmed}`).slice(0, row_words_max);
  });
  const width = rows.reduce((most, row) => Math.max(most, row.length), 1);
  const data = new Int32Array(rows.length * width).fill(-1);
  rows.forEach((row, at) => data.set(row, at * width));
  return { dims: [rows.length, width], data };
}
