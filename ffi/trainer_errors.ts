// A status of the trainer library becomes an error with a code, a sentence and advice on trying again.
// Must not know which verb failed: the sentence says it.

import { statuses } from "./_train_symbols.ts";

/** "file": the library itself cannot be opened. */
export type TrainerCode = Exclude<keyof typeof statuses, "ok"> | "file";

/** never: a bug or a wrong input. backoff: the same call may work later. reopen: on a new trainer only. */
export type TrainerRetry = "never" | "backoff" | "reopen";

const retries: Record<TrainerCode, TrainerRetry> = {
  misuse: "never",
  file: "never",
  format: "never",
  memory: "never",
  busy: "backoff",
  space: "never",
  no_device: "never",
  number: "never",
  internal: "reopen",
};

const codes = new Map<number, TrainerCode>(
  Object.entries(statuses).filter(([name]) => name !== "ok").map((
    [name, status],
  ) => [status, name as TrainerCode]),
);

/** `message` is a whole sentence for a person, e.g. `Cannot put tensor "x": it has another shape`. */
export class TrainerError extends Error {
  override readonly name = "TrainerError";
  readonly code: TrainerCode;
  readonly retry: TrainerRetry;

  constructor(code: TrainerCode, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.code = code;
    this.retry = retries[code];
  }

  /** For a status other than 0. An unknown one is a library newer than this file: internal. */
  static of(status: number, sentence: string): TrainerError {
    const code = codes.get(status) ?? "internal";
    return new TrainerError(code, sentence || `The trainer library answered "${code}" (${status})`);
  }
}
