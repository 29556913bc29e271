// Longest match over bytes. Knows bytes and numbers only.
// Edges live in one open-addressing table, so 65,529 tokens are two flat arrays and no objects.

export class ByteTrie {
  /** (node << 8 | byte) + 1 of each edge; 0 is a free place. */
  readonly #keys: Int32Array;
  readonly #children: Int32Array;
  readonly #mask: number;
  /** The value at each node, 0 where no sequence ends. */
  readonly #values: Int32Array;
  #node_count = 1;

  /** `bytes_max`: the sum of the lengths of all sequences to come, below 2^23 (the edge key is 31 bits). */
  constructor(bytes_max: number) {
    if (bytes_max >= 1 << 23) throw new RangeError(`A trie of ${bytes_max} bytes is too large`);
    let capacity = 1024;
    while (capacity < 2 * bytes_max) capacity *= 2;
    this.#keys = new Int32Array(capacity);
    this.#children = new Int32Array(capacity);
    this.#mask = capacity - 1;
    this.#values = new Int32Array(bytes_max + 1);
  }

  /** False when the sequence was there before; then nothing changes. `value` must not be 0. */
  insert(sequence: Uint8Array, value: number): boolean {
    let node = 0;
    for (const byte of sequence) {
      const slot = this.#slot(node, byte);
      if (this.#keys[slot] === 0) {
        this.#keys[slot] = ((node << 8) | byte) + 1;
        this.#children[slot] = this.#node_count++;
      }
      node = this.#children[slot];
    }
    if (this.#values[node] !== 0) return false;
    this.#values[node] = value;
    return true;
  }

  /** Value of the longest sequence that starts at `from`, or 0. */
  longest(bytes: Uint8Array, from: number): number {
    const keys = this.#keys, children = this.#children, values = this.#values;
    let node = 0;
    let found = 0;
    for (let index = from; index < bytes.length; index++) {
      const slot = this.#slot(node, bytes[index]);
      if (keys[slot] === 0) break;
      node = children[slot];
      const value = values[node];
      if (value !== 0) found = value;
    }
    return found;
  }

  /** Where the edge is, or the free place where it would be. */
  #slot(node: number, byte: number): number {
    const key = ((node << 8) | byte) + 1;
    let slot = Math.imul(key, 0x9e3779b1) >>> 7 & this.#mask;
    while (this.#keys[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & this.#mask;
    return slot;
  }
}
