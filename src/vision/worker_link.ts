// Questions to a Worker and their answers, in order. A worker that crashes, hangs or is ended makes every waiting
// question fail and no new one succeed. Must not know what is asked.
import { VisionError } from "./errors.ts";
import type { AnswerTo, Reply, Request } from "./messages.ts";

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: VisionError): void;
  timer: ReturnType<typeof setTimeout>;
}

/** A worker's own refusal: the question was bad, the worker is well. */
export class WorkerRefusal extends Error {
  override readonly name = "WorkerRefusal";
}

export class WorkerLink {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next_id = 1;
  #lost: VisionError | undefined;
  /** Called once, when the worker is lost for a reason other than `end`. */
  onLost: (error: VisionError) => void = () => {};

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<Reply>) => this.#receive(event.data);
    worker.onmessageerror = () => this.#lose("its answer could not be read");
    worker.onerror = (event) => {
      event.preventDefault(); // or the error would end this thread too
      this.#lose(event.message);
    };
  }

  /** Rejects with WorkerRefusal (the worker says no) or VisionError `vision_lost`. */
  ask<R extends Request>(
    request: R,
    timeout_ms: number,
    transfer: Transferable[] = [],
  ): Promise<AnswerTo<R>> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const id = this.#next_id++;
    return new Promise<AnswerTo<R>>((resolve, reject) => {
      const timer = setTimeout(
        () => this.#lose(`no answer to "${request.kind}" in ${timeout_ms} ms`),
        timeout_ms,
      );
      this.#waiting.set(id, {
        timer,
        reject,
        resolve: (reply) => {
          if ("failure" in reply) reject(new WorkerRefusal(reply.failure));
          else resolve(reply.answer as AnswerTo<R>);
        },
      });
      this.#worker.postMessage({ id, request }, transfer);
    });
  }

  /** Ends the worker; whatever still waits is rejected with `error`. */
  end(error: VisionError): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    this.#worker.onmessage = this.#worker.onerror = this.#worker.onmessageerror = null;
    this.#worker.terminate();
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
  }

  #receive(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    clearTimeout(waiting.timer);
    waiting.resolve(reply);
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined) return;
    const error = new VisionError("vision_lost", `Vision worker was lost: ${reason}`);
    this.end(error);
    this.onLost(error);
  }
}
