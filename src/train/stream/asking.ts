// Questions for a training clip: drawn by weight among the kinds that the moment gives an answer to. Must not know tokens.
import type { Dice } from "../../world/dice.ts";
import { ask, question_kinds, type QuestionKind, type WorldQuestion } from "../../world/questions.ts";
import type { Clip } from "./clip.ts";
import { capital } from "./vocabulary.ts";

export type QuestionWeights = Readonly<Record<QuestionKind, number>>;

/** "where" is learned last, so it is asked most. */
export const default_question_weights: QuestionWeights = {
  here: 3,
  where: 5,
  how_many: 2,
  just_happened: 2,
  first: 2,
  so_far: 1.5,
  ever: 1,
  ago: 0.3,
  where_absent: 1,
  ever_absent: 1.2,
  how_many_absent: 2,
};

/** Draws of a kind before giving up: some scenes give no answer to most of them. */
const tries_max = 12;
/** As people type: a capital more often than not, the question mark mostly. */
const capital_share = 0.5, unmarked_share = 0.15;

/** Questions at that moment, at most `count`, none twice. */
export function askAt(
  clip: Clip,
  t_s: number,
  count: number,
  weights: QuestionWeights,
  dice: Dice,
): WorldQuestion[] {
  const asked = new Map<string, WorldQuestion>();
  for (let tries = 0; tries < tries_max && asked.size < count; tries++) {
    const question = ask(drawKind(weights, dice), clip.script, clip.events, t_s, dice);
    if (question) asked.set(question.text, question);
  }
  return [...asked.values()].map((question) => ({ ...question, text: asTyped(question.text, dice) }));
}

function asTyped(text: string, dice: Dice): string {
  const begun = dice.chance(capital_share) ? capital(text) : text;
  return dice.chance(unmarked_share) ? begun.replace(/\?$/, "") : begun;
}

function drawKind(weights: QuestionWeights, dice: Dice): QuestionKind {
  let draw = dice.share() * question_kinds.reduce((sum, kind) => sum + weights[kind], 0);
  return question_kinds.find((kind) => (draw -= weights[kind]) < 0) ?? "here";
}
