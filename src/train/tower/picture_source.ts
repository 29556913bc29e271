// Pictures from another thread, the next run being made while this one is used. Must not know what they are for.
import { TrainError } from "../errors.ts";
import type { PictureRun } from "./picture_batches.ts";
import type { PictureReply, PictureRequest } from "./picture_worker.ts";
import { checkRules } from "./scene.ts";
import type { PictureRules } from "./pictures.ts";

interface Waiting {
  resolve(run: PictureRun): void;
  reject(error: Error): void;
}

export class PictureSource implements Disposable {
  readonly #worker: Worker;
  /** In the order of the requests, which the worker keeps. */
  readonly #waiting: Waiting[] = [];
  /** The run that was asked for ahead. */
  #ahead: { first: number; count: number; run: Promise<PictureRun> } | undefined;
  #lost: Error | undefined;

  /** Throws RangeError for rules that make no pictures. */
  constructor(rules: PictureRules, art_dir: string) {
    checkRules(rules);
    this.#worker = new Worker(new URL("./picture_worker.ts", import.meta.url), {
      type: "module",
      name: "pictures",
    });
    this.#worker.onmessage = (event: MessageEvent<PictureReply>) => {
      const reply = event.data;
      if ("failure" in reply) this.#lose(reply.failure);
      else this.#waiting.shift()?.resolve(reply.run);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault(); // or the error would end this thread too
      this.#lose(event.message);
    };
    this.#send({ kind: "begin", rules, art_dir });
  }

  /** Pictures first … first + count - 1; those behind them are begun at once. Rejects when the thread is lost. */
  take(first: number, count: number): Promise<PictureRun> {
    const ahead = this.#ahead;
    const run = ahead?.first === first && ahead.count === count ? ahead.run : this.#ask(first, count);
    const next = this.#ask(first + count, count);
    next.catch(() => {}); // told to whoever takes it
    this.#ahead = { first: first + count, count, run: next };
    return run;
  }

  /** Whatever still waits is rejected. */
  [Symbol.dispose](): void {
    this.#lose("it was closed");
  }

  #ask(first: number, count: number): Promise<PictureRun> {
    if (this.#lost) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#send({ kind: "make", first, count });
    });
  }

  #send(request: PictureRequest): void {
    this.#worker.postMessage(request);
  }

  #lose(reason: string): void {
    if (this.#lost) return;
    this.#lost = new TrainError("train_invalid", `Cannot make training pictures: ${reason}`);
    this.#worker.terminate();
    for (const { reject } of this.#waiting.splice(0)) reject(this.#lost);
  }
}
