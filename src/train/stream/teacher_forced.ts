// From logits of one pass over the right words to losses and choices, whatever the words say. Pure; must not know scenes.
import { type Role, roles, type Sequence } from "./sequence.ts";

/** P(silence) below which a tick counts as spoken. */
export const speak_below = 0.5;

/** Logits at a position of a row. */
export type LogitsAt = (position: number) => Float32Array;

const role_names: Record<Role, string> = {
  [roles.none]: "",
  [roles.silence]: "silence",
  [roles.first_word]: "first_word",
  [roles.word]: "word",
  [roles.answer]: "answer",
  [roles.seen]: "seen",
};

/** Means by name. */
export class Means {
  readonly #sums = new Map<string, { sum: number; count: number }>();

  add(name: string, value: number): void {
    const entry = this.#sums.get(name) ?? { sum: 0, count: 0 };
    entry.sum += value;
    entry.count++;
    this.#sums.set(name, entry);
  }

  /** "silence_loss", "word_loss" and so on: cross-entropy, in nats, of what a position learns. */
  addLosses({ roles: own, targets }: Pick<Sequence, "roles" | "targets">, logitsAt: LogitsAt): void {
    for (const [position, role] of own.entries()) {
      if (role === roles.none) continue;
      this.add(`${role_names[role]}_loss`, crossEntropy(logitsAt(position), targets[position]!));
    }
  }

  summary(): Record<string, number> {
    const means = [...this.#sums].map(([name, { sum, count }]) => [name, sum / count] as const);
    return Object.fromEntries(means.sort(([a], [b]) => a < b ? -1 : 1));
  }
}

/** As the product: once it speaks, silence is no choice. */
export function likeliest(logits: Float32Array, never: number): number {
  let best = never === 0 ? 1 : 0;
  for (let id = 0; id < logits.length; id++) if (id !== never && logits[id]! > logits[best]!) best = id;
  return best;
}

export function crossEntropy(logits: Float32Array, target: number): number {
  let max = -Infinity, sum = 0;
  for (const logit of logits) max = Math.max(max, logit);
  for (const logit of logits) sum += Math.exp(logit - max);
  return max + Math.log(sum) - logits[target]!;
}
