// Text-novelty gate: does a caption say anything that a recent one did not? Compares bags of words, so it works for
// every language whose words are apart and, by code points, for those whose words are not.
import { limits } from "./limits.ts";
import type { Caption } from "./ports.ts";

/** Words in lower case; a script without blanks counts by code point. */
function wordsOf(text: string): Map<string, number> {
  const words = text.toLowerCase().match(
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}]+/gu,
  );
  const counts = new Map<string, number>();
  for (const word of words ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** Shared words over all words, 0..1, counting repeats (weighted Jaccard). Two empty texts are the same: 1. */
export function measureOverlap(left: string, right: string): number {
  const a = wordsOf(left);
  const b = wordsOf(right);
  let shared = 0;
  let all = 0;
  for (const word of new Set([...a.keys(), ...b.keys()])) {
    shared += Math.min(a.get(word) ?? 0, b.get(word) ?? 0);
    all += Math.max(a.get(word) ?? 0, b.get(word) ?? 0);
  }
  return all === 0 ? 1 : shared / all;
}

export class NoveltyGate {
  readonly #recent: { text: string; t_media_ms: number }[] = [];
  readonly #last_line: boolean;
  readonly #window_ms: number;

  /** With `last_line` the newest caption is never said again, however long ago it was, also when the gate is off. */
  constructor(
    readonly on: boolean,
    { last_line = false, window_ms = limits.novelty_window_ms as number } = {},
  ) {
    this.#last_line = last_line;
    this.#window_ms = window_ms;
  }

  /** Newest captions of the log, oldest first: after a restart the gate knows what was said. */
  restore(captions: readonly Caption[]): void {
    this.#recent.length = 0;
    for (const caption of captions) this.#remember(caption.text, caption.t_media_ms);
  }

  /** True when the text is to be published; it is remembered then. Text without a word is never published. */
  admit(text: string, t_media_ms: number): boolean {
    if (wordsOf(text).size === 0) return false;
    const repeats = this.#recent.some((said, index) => {
      const recent = this.on && t_media_ms - said.t_media_ms <= this.#window_ms;
      const last = this.#last_line && index === this.#recent.length - 1;
      return (recent || last) && measureOverlap(said.text, text) >= limits.novelty_overlap;
    });
    if (!repeats) this.#remember(text, t_media_ms);
    return !repeats;
  }

  #remember(text: string, t_media_ms: number): void {
    this.#recent.push({ text, t_media_ms });
    if (this.#recent.length > limits.novelty_captions) this.#recent.shift();
  }
}
