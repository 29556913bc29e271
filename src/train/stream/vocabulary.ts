// The vocabulary of models that are trained on the synthetic world, in the World format: every byte, the turn end, the
// names, and every word of lines, questions and answers with its leading blank. Must not know weights or scenes.
import { cleanQuestion, fillQuestion } from "../../model/prompt.ts";
import { Tokenizer } from "../../model/tokenizer.ts";
import { count_phrasings, phrasings } from "../../world/lines.ts";
import { numberWord } from "../../world/numbers.ts";
import { askings } from "../../world/questions.ts";
import { pluralOf, things } from "../../world/vocabulary.ts";
import type { TickWords } from "./sequence.ts";

/** Around a question to a running stream. */
export const question_template = "User: {question}\n\nAssistant:";

export interface WorldVocabulary {
  /** What tokenizer.txt holds. `silence` is not in it: nothing that a person types can become silence. */
  text: string;
  turn_end: number;
  silence: number;
  /** V: rows of the embedding and of the head, padded to a multiple of 64. */
  size: number;
  encode(text: string): number[];
  decode(tokens: readonly number[]): string;
}

/** Words that only answers use, and those that stand where templates have {…}. */
const filled_in = [
  ...["a an another the and no one is left nothing there yes", "top bottom middle right above below up down"],
  ...["minute minutes ago now"],
].join(" ").split(" ");
const numbers = Array.from({ length: 21 }, (_, value) => numberWord(value));
/** Minutes are asked for in digits. */
const digits = Array.from({ length: 11 }, (_, value) => String(value));

let made: WorldVocabulary | undefined;

/** As sequences want them. */
export function worldWords(): TickWords {
  const { silence, turn_end, encode } = worldVocabulary();
  return {
    ...{ silence, turn_end: [turn_end], encode },
    question: (text) => encode(fillQuestion(question_template, cleanQuestion(text, "\n\n"))),
  };
}

export function worldVocabulary(): WorldVocabulary {
  return made ??= makeVocabulary();
}

/** The token of a thing's name, or of its plural: one, whatever blanks are in it. */
export function nameToken(name: string): number {
  return worldVocabulary().encode(` ${name}`)[0]!;
}

function makeVocabulary(): WorldVocabulary {
  const lines: string[] = [];
  for (let byte = 0; byte < 256; byte++) {
    const hex = byte.toString(16).padStart(2, "0");
    lines.push(byte < 0x80 ? `${byte + 1} '\\x${hex}' 1` : `${byte + 1} b'\\x${hex}' 1`);
  }
  const turn_end = 257;
  lines.push(`${turn_end} '\\n\\n' 2`);
  for (const piece of pieces()) lines.push(`${lines.length + 1} '${piece}' ${piece.length}`);
  const text = lines.join("\n") + "\n";
  const tokenizer = Tokenizer.parse(new TextEncoder().encode(text), "the world's vocabulary");
  const silence = tokenizer.id_max + 1;
  return {
    text,
    turn_end,
    silence,
    size: Math.ceil((silence + 1) / 64) * 64,
    encode: (words) => tokenizer.encode(words),
    decode: (tokens) => tokenizer.decode(tokens),
  };
}

/** Names first, so that a new phrasing does not move them. All are ASCII without quotes or backslashes. */
function pieces(): Set<string> {
  const names = things.map(({ name }) => name);
  const lines = [...Object.values(phrasings).flat(), ...count_phrasings].flatMap(wordsOf);
  const questions = Object.values(askings).flat();
  const words = [...lines, ...filled_in, ...numbers, ...digits, ...questions.flatMap(wordsOf)];
  const first_words = questions.map((question) => wordsOf(question)[0]!);
  return new Set([
    ...names.map((name) => ` ${name}`),
    ...names.map((name) => ` ${pluralOf(name)}`),
    ...words.map((word) => ` ${word}`),
    // People begin with a capital, chat templates with none or one blank.
    ...first_words.map((word) => ` ${capital(word)}`),
    ...["User:", "Assistant:"],
  ]);
}

function wordsOf(template: string): string[] {
  return template.replaceAll(/\{[a-z_]+\}/g, " ").split(/[^a-z]+/).filter((word) => word !== "");
}

export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
