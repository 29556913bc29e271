// How many may do a thing at once: seats that are refused when all are taken, and a turnstile where one waits.
// Must not know what is done there.
import { CapacityError } from "../errors.ts";
import { untilAbort } from "./until_abort.ts";

/** Questions of every kind share these: each holds a state of the engine beside those of the streams. */
export class Seats {
  #taken_count = 0;

  constructor(readonly count_max: number) {}

  get taken_count(): number {
    return this.#taken_count;
  }

  /** Takes a seat; the answer gives it back, once. `who` is the beginning of the refusal: `Cannot ask "door"`. */
  take(who: string): () => void {
    if (this.#taken_count >= this.count_max) {
      throw new CapacityError(
        "questions_full",
        `${who}: ${this.#taken_count} questions are being answered, ask again in a moment`,
      );
    }
    this.#taken_count++;
    let held = true;
    return () => {
      if (held) this.#taken_count--;
      held = false;
    };
  }
}

/** Lets so many in at once; the others wait in the order they came. The seats bound how many wait. */
export class Turnstile {
  readonly #waiting: (() => void)[] = [];
  #inside_count = 0;

  constructor(readonly inside_max: number) {}

  /**
   * Rejects with the signal's reason as soon as it aborts. A job that waits is never begun then; one that is inside keeps
   * its place until it ends.
   */
  async pass<T>(job: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.#inside_count < this.inside_max) this.#inside_count++;
    else await this.#wait(signal);
    return await untilAbort(this.#do(job), signal);
  }

  async #do<T>(job: () => Promise<T>): Promise<T> {
    try {
      return await job();
    } finally {
      // Whoever leaves hands its place over: the count stays.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#inside_count--;
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal!.reason);
      };
      this.#waiting.push(enter);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }
}
