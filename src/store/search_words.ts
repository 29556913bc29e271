// What a person typed into a search box, as an FTS5 expression that cannot go wrong: nothing of it is ever an operator.
// Pure. Must not know tables.
import { store_limits } from "./limits.ts";

export interface Search {
  /** FTS5 expression, all of whose terms must match; undefined when there is none. */
  match: string | undefined;
  /** Parts that must be in the text as they are: scripts written without spaces, where a word has no edges. */
  parts: string[];
}

const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** What the tokenizer keeps. A term without any of it would match nothing. */
const searchable = /[\p{L}\p{N}]/u;
/** A closed pair of quotes is a phrase; everything else is words. A NUL would end SQLite's reading early. */
// deno-lint-ignore no-control-regex
const term = /"([^"]*)"|[^\s\u0000"]+/gu;

/** `words` came out of `term`, so there is no quote left in it. */
function quote(words: string): string {
  return `"${words.replaceAll("\0", " ")}"`;
}

/** All words must occur, in any order; "two words" in quotes side by side; a trailing * finds longer words. */
export function readSearch(text: string): Search | undefined {
  const match: string[] = [];
  const parts: string[] = [];
  for (const [whole, phrase] of text.matchAll(term)) {
    if (match.length + parts.length === store_limits.search_words_max) break;
    const words = phrase ?? whole;
    if (!searchable.test(words)) continue;
    if (unspaced.test(words)) parts.push(words.trim());
    else match.push(quote(words) + (phrase === undefined && words.endsWith("*") ? "*" : ""));
  }
  if (match.length + parts.length === 0) return undefined;
  return { match: match.length > 0 ? match.join(" ") : undefined, parts };
}
