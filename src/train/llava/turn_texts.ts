// A sample as the texts and pictures of its turns, in the template that VisualRWKV models are taught with (spec 2.2): what
// src/model/image_prompt.ts says at inference, with the answers in it. Must not know tokens.
import { cleanQuestion } from "../../model/prompt.ts";
import { image_marker, type Sample } from "./row.ts";

/**
 * Where a question's picture stands. many (v6.20 and later): pictures joined by newlines, then the question. first,
 * middle, last (v6.0): one picture before the question, between all questions and the question, behind the question.
 */
export const image_positions = ["many", "first", "middle", "last"] as const;
export type ImagePosition = typeof image_positions[number];

export type Chunk = string | { image: number };

export interface TurnText {
  learned: boolean;
  /** Tokenised one by one, never across a picture. */
  chunks: Chunk[];
}

/** The sentence of short answers is not part of what the sandwich says first. */
const short_answer = "Answer the question using a single word or phrase.";

/** How every learned turn begins; the model is asked with it, so its tokens are not learned. */
export const answer_opening = "Assistant:";

export function writeTurns({ rounds }: Sample, position: ImagePosition): TurnText[] {
  let image = 0;
  return rounds.flatMap(({ human, gpt }) => {
    const count = human.split(image_marker).length - 1;
    const images = Array.from({ length: count }, () => ({ image: image++ }));
    const question = clean(human.replaceAll(image_marker, ""));
    return [
      { learned: false, chunks: writeQuestion(question, images, position, rounds) },
      { learned: true, chunks: [`${answer_opening} ${clean(gpt)}\n\n`] },
    ];
  });
}

function writeQuestion(
  question: string,
  images: { image: number }[],
  position: ImagePosition,
  rounds: Sample["rounds"],
): Chunk[] {
  if (images.length === 0) return [`User: ${question}\n\n`];
  const joined = images.flatMap((image, index): Chunk[] => index === 0 ? [image] : ["\n", image]);
  // A picture without a word: nothing stands between it and the end of the turn.
  const behind = question === "" ? "\n\n" : `\n${question}\n\n`;
  switch (position) {
    case "middle":
      return [`User: ${allQuestions(rounds)}\n`, ...joined, behind];
    case "last":
      return [question === "" ? "User: " : `User: ${question}\n`, ...joined, "\n\n"];
    case "first":
    case "many":
      return ["User: ", ...joined, behind];
  }
}

/** What the sandwich says before its picture: the turn with the picture is cleaned, the others only trimmed. */
function allQuestions(rounds: Sample["rounds"]): string {
  return rounds.map(({ human }) =>
    human.includes(image_marker)
      ? clean(human.replaceAll(image_marker, "").replaceAll(short_answer, ""))
      : human.replace(/\r\n?/g, "\n").trim()
  ).join("\n");
}

/** Ends trimmed, runs of newlines one: "\n\n" is the end of a turn and nothing else. */
function clean(text: string): string {
  return cleanQuestion(text, undefined);
}
