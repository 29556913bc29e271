// Tick edges: the only moments at which a state may be copied. Jobs asked for in the middle of a tick run at its end,
// before the next one begins.

export class Edge {
  #busy = false;
  readonly #jobs: (() => void)[] = [];

  /** A tick begins. */
  enter(): void {
    if (this.#busy) throw new Error("a tick is under way already");
    this.#busy = true;
  }

  /** The tick is over: everything that waited runs now. */
  leave(): void {
    this.#busy = false;
    for (const job of this.#jobs.splice(0)) job();
  }

  /** Runs `job` now or at the end of the tick under way. Rejects when the signal aborts first: it never runs then. */
  run<T>(job: () => T, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const attempt = () => {
        signal?.removeEventListener("abort", abort);
        if (signal?.aborted) return;
        try {
          resolve(job());
        } catch (error) {
          reject(error);
        }
      };
      const abort = () => reject(signal!.reason);
      if (signal?.aborted) return abort();
      if (!this.#busy) return attempt();
      signal?.addEventListener("abort", abort, { once: true });
      this.#jobs.push(attempt);
    });
  }
}
