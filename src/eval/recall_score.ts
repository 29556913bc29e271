// What is still known of things that are gone, by how long they are. Balanced: half of the questions are about things
// that never were, so that chance and "always yes" are one half. Must not know models.
import { isRight } from "./answer_score.ts";
import type { Given } from "./exam.ts";
import { eval_limits } from "./limits.ts";

export interface RecallPoint {
  /** Things gone about this long. */
  age_s: number;
  asked: number;
  /** Mean of the share of yes where it was and of no where it was not. */
  accuracy: number;
}

export interface Recall {
  points: RecallPoint[];
  /** Age at which accuracy has fallen half way from the freshest to chance; null: not within what was asked. */
  half_life_s: number | null;
}

const chance = 0.5;

export function recallOf(given: readonly Given[]): Recall {
  const points: RecallPoint[] = [];
  for (const age_s of eval_limits.recall_ages_s) {
    const some = given.filter(({ question }) =>
      question.age_s !== undefined && nearestAge(question.age_s) === age_s
    );
    const share = (kind: "ever" | "ever_absent") => {
      const of_kind = some.filter(({ question }) => question.kind === kind);
      return of_kind.filter(({ question, text }) => isRight(question, text)).length / of_kind.length;
    };
    if (some.length === 0) continue;
    points.push({ age_s, asked: some.length, accuracy: (share("ever") + share("ever_absent")) / 2 });
  }
  return { points, half_life_s: halfLife(points) };
}

/** By ratio. */
function nearestAge(age_s: number): number {
  const ratio = (one: number) => Math.abs(Math.log(one / age_s));
  return eval_limits.recall_ages_s.reduce<number>(
    (best, one) => ratio(one) < ratio(best) ? one : best,
    eval_limits.recall_ages_s[0],
  );
}

function halfLife(points: readonly RecallPoint[]): number | null {
  const fresh = points[0]?.accuracy ?? chance;
  if (fresh <= chance) return null;
  const half = (fresh + chance) / 2;
  for (let at = 1; at < points.length; at++) {
    const before = points[at - 1]!, after = points[at]!;
    if (after.accuracy > half) continue;
    const share = (before.accuracy - half) / (before.accuracy - after.accuracy);
    // Between two ages by ratio, as they are spread.
    return before.age_s * (after.age_s / before.age_s) ** share;
  }
  return null;
}
