// GGUF's block formats: sizes, and the way from bytes to float32. The formats are those of ggml (struct block_* and
// dequantize_row_* of ggml-quants.c); the arithmetic is its float32 arithmetic, step by step, without fused
// multiply-add. Must not know files.
import type { BlockType } from "./checkpoint.ts";
import { halfTable } from "./element_types.ts";
import { decodeQ2K, decodeQ3K, decodeQ4K, decodeQ5K, decodeQ6K } from "./k_blocks.ts";
import { decodeQ40, decodeQ41, decodeQ50, decodeQ51, decodeQ80 } from "./simple_blocks.ts";

/** Writes one block's numbers to `out` from `to` on. `at` is the block's first byte. */
export type BlockDecoder = (block: BlockBytes, at: number, out: Float32Array, to: number) => void;

export interface BlockBytes {
  readonly bytes: Uint8Array;
  /** The float16 at a byte offset. */
  half(at: number): number;
}

interface BlockLayout {
  readonly block_elements: number;
  readonly block_bytes: number;
  readonly decode: BlockDecoder;
}

export const block_layouts: Readonly<Record<BlockType, BlockLayout>> = {
  q4_0: { block_elements: 32, block_bytes: 18, decode: decodeQ40 },
  q4_1: { block_elements: 32, block_bytes: 20, decode: decodeQ41 },
  q5_0: { block_elements: 32, block_bytes: 22, decode: decodeQ50 },
  q5_1: { block_elements: 32, block_bytes: 24, decode: decodeQ51 },
  q8_0: { block_elements: 32, block_bytes: 34, decode: decodeQ80 },
  q2_k: { block_elements: 256, block_bytes: 84, decode: decodeQ2K },
  q3_k: { block_elements: 256, block_bytes: 110, decode: decodeQ3K },
  q4_k: { block_elements: 256, block_bytes: 144, decode: decodeQ4K },
  q5_k: { block_elements: 256, block_bytes: 176, decode: decodeQ5K },
  q6_k: { block_elements: 256, block_bytes: 210, decode: decodeQ6K },
};

/** Whole blocks as float32. Throws RangeError when the last block is not whole. */
export function decodeBlocks(type: BlockType, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const { block_elements, block_bytes, decode } = block_layouts[type];
  const blocks = bytes.length / block_bytes;
  if (!Number.isInteger(blocks)) throw new RangeError(`${bytes.length} bytes are no whole ${type} blocks`);
  const table = halfTable();
  const block: BlockBytes = { bytes, half: (at) => table[bytes[at]! | bytes[at + 1]! << 8]! };
  const out = new Float32Array(blocks * block_elements);
  for (let i = 0; i < blocks; i++) decode(block, i * block_bytes, out, i * block_elements);
  return out;
}
