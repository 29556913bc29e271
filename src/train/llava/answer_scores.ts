// How well a model says what it should: the loss, and how many tokens would be said as they stand, on batches that are
// not trained on. Must not know samples or pictures.
import type { Batch } from "../ports.ts";
import type { Evaluate } from "../stage.ts";
import { PictureFault } from "./features.ts";
import { ignored } from "./sequence.ts";

/** Means over the samples whose pictures can be read: "loss"; and shares: "tokens_right", "answers_right" (all tokens). */
export async function answerScores(
  evaluate: Evaluate,
  samples: number,
  batchOf: (sample: number) => Promise<Batch>,
): Promise<Record<string, number>> {
  let read = 0, loss = 0, tokens = 0, tokens_right = 0, answers_right = 0;
  for (let number = 0; number < samples; number++) {
    let batch: Batch;
    try {
      batch = await batchOf(number);
    } catch (error) {
      if (error instanceof PictureFault) continue;
      throw error;
    }
    const outputs = await evaluate(batch, ["loss", "logits"]);
    const right = countRight(batch.targets!.data as Int32Array, outputs.logits!.data);
    read++;
    loss += outputs.loss!.data[0]!;
    tokens += right.of;
    tokens_right += right.right;
    if (right.right === right.of) answers_right++;
  }
  if (read === 0) return {};
  return {
    loss: loss / read,
    tokens_right: tokens_right / Math.max(1, tokens),
    answers_right: answers_right / read,
  };
}

/** Of the positions with a target, those where it has the highest logit. `logits`: [positions, vocabulary]. */
export function countRight(targets: Int32Array, logits: Float32Array): { of: number; right: number } {
  const vocabulary = logits.length / targets.length;
  let of = 0, right = 0;
  for (const [position, target] of targets.entries()) {
    if (target === ignored) continue;
    const from = position * vocabulary;
    let best = 0;
    for (let id = 1; id < vocabulary; id++) if (logits[from + id]! > logits[from + best]!) best = id;
    of++;
    if (best === target) right++;
  }
  return { of, right };
}
