// Runs jobs of one key one after the other, and jobs of different keys side by side. Must not know what a job does.

export class OrderedJobs {
  readonly #tails = new Map<string, Promise<void>>();

  /** A job that fails is its caller's concern; the next one runs all the same. */
  run<T>(key: string, job: () => Promise<T>): Promise<T> {
    const result = (this.#tails.get(key) ?? Promise.resolve()).then(job);
    const tail = result.then(() => {}, () => {}).then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    this.#tails.set(key, tail);
    return result;
  }

  /** Resolves when everything that was asked for has ended. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }
}
