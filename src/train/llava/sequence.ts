// The turns of a sample become one sequence: ids, places of picture vectors, and what is learned (spec 2.8, 6.6). Owns
// labels, truncation and the shift to targets. Must not know files, features or batches.
import type { ImagePosition, TurnText } from "./turn_texts.ts";
import { answer_opening } from "./turn_texts.ts";

/** In tokens: the next vector of a picture; and in labels and targets: nothing is learned here. */
export const picture_id = -1;
export const ignored = -100;

export interface Sequence {
  /** Ids; -1 takes the next vector. */
  tokens: Int32Array;
  /** As tokens; -100 where nothing is learned. Not shifted. */
  labels: Int32Array;
}

/**
 * `vectors_of(i)`: how many vectors picture i has. A human turn teaches nothing; of an answer the tokens of "Assistant:"
 * (three of the World vocabulary) are not learned, everything up to and with the closing "\n\n" is.
 */
export function writeSequence(
  turns: readonly TurnText[],
  encode: (text: string) => readonly number[],
  vectors_of: (image: number) => number,
): Sequence {
  const tokens: number[] = [], labels: number[] = [];
  for (const { learned, chunks } of turns) {
    for (const chunk of chunks) {
      if (typeof chunk !== "string") {
        for (let i = vectors_of(chunk.image); i > 0; i--) {
          tokens.push(picture_id);
          labels.push(ignored);
        }
        continue;
      }
      const ids = encode(chunk);
      const masked = learned ? countOpening(chunk, ids, encode) : ids.length;
      for (const [index, id] of ids.entries()) {
        tokens.push(id);
        labels.push(index < masked ? ignored : id);
      }
    }
  }
  return { tokens: Int32Array.from(tokens), labels: Int32Array.from(labels) };
}

/**
 * How many ids stand for "Assistant:". In the World vocabulary no token reaches across the colon into the blank behind
 * it, so these are the ids of the opening by itself; where a vocabulary has one that does, it is the first that is
 * learned.
 */
function countOpening(
  chunk: string,
  ids: readonly number[],
  encode: (text: string) => readonly number[],
): number {
  if (!chunk.startsWith(answer_opening)) return 0;
  const opening = encode(answer_opening);
  let same = 0;
  while (same < opening.length && opening[same] === ids[same]) same++;
  return same;
}

export interface Cut extends Sequence {
  /** Vectors that were cut off in front. */
  vectors_before: number;
  /** Vectors that are left. */
  vectors: number;
}

/**
 * At most `ctx_len` positions: the first ones; with v6.0's single pictures the last ones where the first teach nothing.
 */
export function cutSequence({ tokens, labels }: Sequence, ctx_len: number, position: ImagePosition): Cut {
  const from = position !== "many" && tokens.length > ctx_len && !teaches(labels.subarray(0, ctx_len))
    ? tokens.length - ctx_len
    : 0;
  const kept = tokens.subarray(from, from + ctx_len);
  return {
    tokens: kept,
    labels: labels.subarray(from, from + ctx_len),
    vectors_before: countVectors(tokens.subarray(0, from)),
    vectors: countVectors(kept),
  };
}

function countVectors(tokens: Int32Array): number {
  return tokens.reduce((sum, id) => sum + (id === picture_id ? 1 : 0), 0);
}

/** The first position predicts nothing that is counted: its label has no position before it. */
function teaches(labels: Int32Array): boolean {
  return labels.some((label, index) => index > 0 && label !== ignored);
}

/** What the logits at each position should predict: the label of the next. */
export function toTargets(labels: Int32Array): Int32Array<ArrayBuffer> {
  const targets = new Int32Array(labels.length).fill(ignored);
  targets.set(labels.subarray(1));
  return targets;
}
