// Sequences side by side become the inputs of a micro-step. The weights of a batch sum to 1, whatever it holds, so that a
// step is as large with one line as with many. Must not know scenes or how sequences are made.
import type { Batch } from "../ports.ts";
import { next_vector, no_target, padding, type Role, roles, type Sequence } from "./sequence.ts";

/** What a position counts for, before the batch is brought to 1. */
export interface RoleWeights {
  silence: number;
  first_word: number;
  word: number;
  answer: number;
  /** What a vector shows, at the vector. */
  seen: number;
}

export interface Row {
  sequence: Pick<Sequence, "tokens" | "targets" | "roles" | "length">;
  /** As many as the sequence takes, in its order. */
  vectors: Float32Array;
  /** With a carried state: it begins anew. */
  reset: boolean;
}

/** Positions `from` to `until` of a row, with the vectors they take. `width`: floats of one vector. */
export function partOf(
  { sequence, vectors }: Omit<Row, "reset">,
  from: number,
  until: number,
  width: number,
) {
  const taken = (positions: readonly number[]) => positions.filter((token) => token === next_vector).length;
  const tokens = sequence.tokens.slice(from, until);
  const before = taken(sequence.tokens.slice(0, from));
  return {
    sequence: {
      tokens,
      targets: sequence.targets.slice(from, until),
      roles: sequence.roles.slice(from, until),
      length: tokens.length,
    },
    vectors: vectors.subarray(before * width, (before + taken(tokens)) * width),
  };
}

/** `carried`: every row must be of the same length then. */
export function packRows(rows: readonly Row[], width: number, weights: RoleWeights, carried: boolean): Batch {
  const count = rows.length, length = Math.max(...rows.map(({ sequence }) => sequence.length));
  const tokens = new Int32Array(count * length).fill(padding);
  const targets = new Int32Array(count * length).fill(no_target);
  const shares = new Float32Array(count * length);
  const by_role: Record<Role, number> = {
    [roles.none]: 0,
    [roles.silence]: weights.silence,
    [roles.first_word]: weights.first_word,
    [roles.word]: weights.word,
    [roles.answer]: weights.answer,
    [roles.seen]: weights.seen,
  };
  let sum = 0;
  rows.forEach(({ sequence }, row) => {
    tokens.set(sequence.tokens, row * length);
    targets.set(sequence.targets, row * length);
    for (const role of sequence.roles) sum += by_role[role];
  });
  rows.forEach(({ sequence }, row) =>
    sequence.roles.forEach((role, at) => shares[row * length + at] = by_role[role] / sum)
  );
  const vectors = new Float32Array(rows.reduce((total, row) => total + row.vectors.length, 0));
  let end = 0;
  for (const row of rows) {
    vectors.set(row.vectors, end);
    end += row.vectors.length;
  }
  const dims = [count, length];
  return {
    tokens: { dims, data: tokens },
    vectors: { dims: [vectors.length / width, width], data: vectors },
    targets: { dims, data: targets },
    weights: { dims, data: shares },
    ...(carried
      ? { reset: { dims: [count], data: Int32Array.from(rows, ({ reset }) => reset ? 1 : 0) } }
      : {}),
  };
}
