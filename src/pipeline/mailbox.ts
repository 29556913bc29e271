// A mailbox of one: the newest item wins, what it replaces is counted. Before the state old frames are worthless.

export class Mailbox<T> {
  #item: T | undefined;
  #waiting: ((item: T | undefined) => void) | undefined;
  #closed = false;
  #dropped_count = 0;

  get dropped_count(): number {
    return this.#dropped_count;
  }

  /** 0 or 1. */
  get waiting_count(): number {
    return this.#item === undefined ? 0 : 1;
  }

  /** False when an item was lost for it: the one that waited, or this one when the mailbox is closed. */
  put(item: T): boolean {
    if (this.#closed) {
      this.#dropped_count++;
      return false;
    }
    const waiting = this.#waiting;
    if (waiting) {
      this.#waiting = undefined;
      waiting(item);
      return true;
    }
    const fits = this.#item === undefined;
    if (!fits) this.#dropped_count++;
    this.#item = item;
    return fits;
  }

  /** The next item, or undefined once the mailbox is closed and empty. One taker at a time. */
  take(): Promise<T | undefined> {
    if (this.#waiting) throw new Error("mailbox has a taker already");
    const item = this.#item;
    if (item !== undefined || this.#closed) {
      this.#item = undefined;
      return Promise.resolve(item);
    }
    return new Promise((resolve) => this.#waiting = resolve);
  }

  /** What waits is still taken; nothing more comes in. */
  close(): void {
    this.#closed = true;
    this.#waiting?.(undefined);
    this.#waiting = undefined;
  }
}
