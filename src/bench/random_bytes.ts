// Random weights as bf16 bytes, fast enough for files of many gigabytes: one table of random numbers, read from another
// place for every tensor. Good for timing, memory and shapes; not for statistics. Must not know names or files.
import { elementsOf, type TensorSpec } from "./tensor_list.ts";

const table_length = 1 << 20;
const piece_elements = 1 << 20;
/** A prime, so that no two tensors of a power-of-two size walk the table in step. */
const stride = 514_229;

function makeTable(): Float32Array<ArrayBuffer> {
  const table = new Float32Array(table_length);
  let state = 0x2545f491;
  for (let index = 0; index < table_length; index++) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    table[index] = state / 2 ** 31;
  }
  return table;
}

let table: Float32Array<ArrayBuffer> | undefined;

/** The tensor's elements in order, little-endian, upper halves of float32, in pieces of 2 MiB. `number` tells tensors apart. */
export async function* randomBf16(
  { shape, offset, spread }: TensorSpec,
  number: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  table ??= makeTable();
  let at = (number * stride) % table_length;
  for (let left = elementsOf(shape); left > 0;) {
    const count = Math.min(left, piece_elements);
    const floats = new Float32Array(count);
    for (let index = 0; index < count; index++) {
      floats[index] = offset + spread * table[at]!;
      at = (at + 1) & (table_length - 1);
    }
    const halves = new Uint16Array(floats.buffer);
    const piece = new Uint16Array(count);
    for (let index = 0; index < count; index++) piece[index] = halves[2 * index + 1]!;
    left -= count;
    yield new Uint8Array(piece.buffer);
    // Lets whoever writes the piece go on while the next is made.
    await Promise.resolve();
  }
}
