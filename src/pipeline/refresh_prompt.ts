// What policy "refresh" asks of each picture: the instruction with the summary and the language filled in. The summary
// is the newest distinct captions, as far as they fit. Pure. Must not know templates of turns, or what a state is.
import { limits } from "./limits.ts";
import { measureOverlap } from "./novelty_gate.ts";

/** What a stream may change of policy "refresh". */
export interface RefreshSettings {
  /** {summary} and {language} are filled in. */
  instruction: string;
  /** BCP 47 tag of the language that captions are asked for in. */
  language: string;
  /** Media time between two rebuilds at the least: a caption at most this often. */
  cadence_s: number;
  /** Media time after which the state is rebuilt though the picture did not change. */
  every_s: number;
  /** Share of the brightness range by which a picture must differ from the one before, 0..1. */
  change_min: number;
}

/**
 * The newest captions that say different things, oldest first, with `summary_tokens_max` tokens at most. One caption
 * that is longer than that alone is cut.
 */
export function summarise(said: readonly string[], encode: (text: string) => readonly number[]): string[] {
  const chosen: string[] = [];
  let left = limits.summary_tokens_max;
  for (const caption of said.toReversed()) {
    if (chosen.some((other) => measureOverlap(other, caption) >= limits.novelty_overlap)) continue;
    const line = chosen.length === 0 ? shorten(caption, left, encode) : asSentence(caption);
    left -= encode(` ${line}`).length;
    if (left < 0) break;
    chosen.unshift(line);
  }
  return chosen;
}

/** Halved until it fits: a model that rambles must not push the picture out of its own memory. */
function shorten(caption: string, tokens_max: number, encode: (text: string) => readonly number[]): string {
  let line = asSentence(caption);
  for (let points = [...caption]; points.length > 1 && encode(` ${line}`).length > tokens_max;) {
    points = points.slice(0, points.length >> 1);
    line = `${points.join("").trimEnd()} …`;
  }
  return line;
}

function asSentence(caption: string): string {
  return /[\p{P}]$/u.test(caption) ? caption : `${caption}.`;
}

/**
 * `{summary}` becomes nothing, or a sentence that begins with a blank; `{language}` the English name of the language.
 * An instruction that does not name the language gets a sentence that does, unless it is the bundle's own.
 */
export function writeInstruction(
  { instruction, language }: Pick<RefreshSettings, "instruction" | "language">,
  summary: readonly string[],
  own_language: string,
): string {
  const named = instruction.includes("{language}") || language === own_language;
  const template = named ? instruction : `${instruction} Answer in {language}.`;
  const values: Record<string, string> = {
    "{summary}": summary.length === 0 ? "" : ` Seen before: ${summary.join(" ")}`,
    "{language}": nameOf(language),
  };
  return template.replace(/\{summary\}|\{language\}/g, (mark) => values[mark]!);
}

function nameOf(language: string): string {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(language) ?? language;
  } catch {
    return language;
  }
}
