// Small numbers as words, both ways. Must not know what is counted.
const words = (
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen " +
  "eighteen nineteen twenty"
).split(" ");

/** "zero" … "twenty", then digits. */
export function numberWord(value: number): string {
  return words[value] ?? String(value);
}

/** The number a word says; undefined when it says none. */
export function readNumber(word: string): number | undefined {
  if (word === "no" || word === "none") return 0;
  const at = words.indexOf(word);
  if (at >= 0) return at;
  return /^\d{1,6}$/.test(word) ? Number(word) : undefined;
}
