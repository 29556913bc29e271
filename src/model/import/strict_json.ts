// JSON from strangers: refuses what JSON.parse hides (a key that is there twice) and nests that only an attack has.
// Must not know what the JSON is for.
import { quote } from "./import_error.ts";
import { import_limits } from "./limits.ts";

/** The message is the end of a sentence: `has "x" twice`. */
export class JsonRefused extends Error {}

/** Throws JsonRefused. */
export function parseStrictJson(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    checkKeys(text);
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof JsonRefused) throw error;
    throw new JsonRefused("is not JSON in UTF-8", { cause: error });
  }
}

/** Goes through the signs without recursion; whether they are JSON, JSON.parse says afterwards. */
function checkKeys(text: string): void {
  /** Keys so far of every open object; undefined for an open array. */
  const open: (Set<string> | undefined)[] = [];
  let key_comes = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!;
    if (sign === '"') {
      const end = textEnd(text, at);
      const keys = open.at(-1);
      if (key_comes && keys) {
        const key = JSON.parse(text.slice(at, end + 1)) as string;
        if (keys.has(key)) throw new JsonRefused(`has ${quote(key)} twice`);
        keys.add(key);
      }
      key_comes = false;
      at = end;
    } else if (sign === "{" || sign === "[") {
      if (open.length === import_limits.json_depth_max) {
        throw new JsonRefused(`is nested more than ${import_limits.json_depth_max} deep`);
      }
      open.push(sign === "{" ? new Set() : undefined);
      key_comes = true;
    } else if (sign === "}" || sign === "]") open.pop();
    else if (sign === ",") key_comes = true;
  }
}

/** Where the text that begins at `start` has its closing quote. */
function textEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at;
  }
  throw new SyntaxError("a text does not end");
}
