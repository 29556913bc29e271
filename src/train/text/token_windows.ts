// Documents packed end to end into one row of tokens, and windows of it. Between two documents stands token 0, which is
// learned: it is how a text ends. Must not know files or batches.
import { DataError } from "../llava/errors.ts";
import { data_limits } from "../llava/limits.ts";

/** End of a document in every World model. */
export const document_end = 0;

export class TokenWindows {
  #tokens = new Int32Array(1 << 16);
  #length = 0;

  /** `ctx_len`: positions of a window. */
  constructor(readonly ctx_len: number) {}

  add(tokens: readonly number[]): void {
    const needed = this.#length + tokens.length + 1;
    if (needed > data_limits.text_tokens_max) {
      throw new DataError(
        "data_invalid",
        `Cannot train on over ${data_limits.text_tokens_max} tokens at once`,
      );
    }
    if (needed > this.#tokens.length) {
      const grown = new Int32Array(
        Math.min(data_limits.text_tokens_max, Math.max(needed, 2 * this.#tokens.length)),
      );
      grown.set(this.#tokens.subarray(0, this.#length));
      this.#tokens = grown;
    }
    this.#tokens.set(tokens, this.#length);
    this.#length = needed;
    this.#tokens[needed - 1] = document_end;
  }

  get tokens(): number {
    return this.#length;
  }

  /** A window predicts one token more than it has; what is left over at the end is a last, shorter one. */
  get count(): number {
    return Math.ceil(Math.max(0, this.#length - 1) / this.ctx_len);
  }

  /** Tokens of window `index` with the one behind it: at most ctx_len + 1, at least 2. */
  window(index: number): Int32Array {
    const from = index * this.ctx_len;
    return this.#tokens.subarray(from, Math.min(this.#length, from + this.ctx_len + 1));
  }
}
