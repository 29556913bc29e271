// A status of the native library becomes an error with a code, a sentence and advice on trying again.
// Must not know which verb failed: the sentence says it.

import { statuses } from "./_symbols.ts";

export type NativeCode = Exclude<keyof typeof statuses, "ok">;

/** never: a bug or a wrong input. backoff: the same call may work later. reopen: on a new engine only. */
export type NativeRetry = "never" | "backoff" | "reopen";

const retries: Record<NativeCode, NativeRetry> = {
  misuse: "never",
  file: "never",
  format: "never",
  memory: "backoff",
  full: "backoff",
  busy: "backoff",
  space: "never",
  no_device: "never",
  device_lost: "reopen",
  foreign: "never",
  internal: "reopen",
};

const codes = new Map<number, NativeCode>(
  Object.entries(statuses).filter(([name]) => name !== "ok").map((
    [name, status],
  ) => [status, name as NativeCode]),
);

/** `message` is a whole sentence for a person, e.g. `Cannot load weights "x": no such file`. */
export class NativeError extends Error {
  override readonly name = "NativeError";
  readonly code: NativeCode;
  readonly retry: NativeRetry;

  constructor(code: NativeCode, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.code = code;
    this.retry = retries[code];
  }

  /** The sentence without the class: what a person is shown. */
  get sentence(): string {
    return this.message;
  }

  /** For a status other than 0. An unknown one is a library newer than this file: internal. */
  static of(status: number, sentence: string): NativeError {
    const code = codes.get(status) ?? "internal";
    return new NativeError(code, sentence || `The native library answered "${code}" (${status})`);
  }
}
