// A tensor in a file, read in pieces as numbers or as its own bytes. Must not know containers or names.
import type { ByteSource } from "./byte_source.ts";
import type { BlockType, CheckpointTensor, PlainType } from "./checkpoint.ts";
import { block_layouts, decodeBlocks } from "./block_types.ts";
import { decodePlain, isPlain, plain_bytes } from "./element_types.ts";
import { import_limits } from "./limits.ts";
import { isContiguous, readStrided } from "./strided_reads.ts";

export interface TensorPlace {
  name: string;
  type: PlainType | BlockType;
  shape: readonly number[];
  /** Byte offset of the first element in the file. */
  offset: number;
  /** In elements; row-major without gaps when left out. Only for plain types. */
  strides?: readonly number[];
  /** Sees every piece before anyone else does; what it throws ends the reading. Left out: nothing is checked. */
  check?: (pieces: AsyncGenerator<Uint8Array<ArrayBuffer>>) => AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

/** How many bytes so many elements take. Blocks: `elements` is a multiple of the block's. */
export function storedBytes(type: PlainType | BlockType, elements: number): number {
  if (isPlain(type)) return elements * plain_bytes[type];
  const { block_elements, block_bytes } = block_layouts[type];
  return elements / block_elements * block_bytes;
}

/** The product of the sizes; undefined beyond 2^53, where numbers are no longer exact. */
export function countElements(shape: readonly number[]): number | undefined {
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (!Number.isSafeInteger(elements)) return undefined;
  }
  return elements;
}

/** The caller has checked that all elements lie inside `source`. */
export function storedTensor(source: ByteSource, place: TensorPlace): CheckpointTensor {
  const { name, type, shape } = place;
  const elements = countElements(shape)!;
  const stored_bytes = storedBytes(type, elements);
  const { check = (pieces) => pieces } = place;
  const pieces = () => check(readPieces(source, place, stored_bytes));
  return {
    name,
    type,
    shape,
    elements,
    stored_bytes,
    file: source.path,
    async *readFloats() {
      for await (const piece of pieces()) {
        yield isPlain(type) ? decodePlain(type, piece) : decodeBlocks(type, piece);
      }
    },
    readBytes() {
      if (type === "f32" || type === "f16" || type === "bf16") return pieces();
      throw new RangeError(`Tensor "${name}" is ${type}; only f32, f16 and bf16 are copied`);
    },
  };
}

async function* readPieces(
  source: ByteSource,
  { type, shape, offset, strides }: TensorPlace,
  stored_bytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (isPlain(type) && strides && !isContiguous(shape, strides)) {
    yield* readStrided(source, { offset, element_bytes: plain_bytes[type], shape, strides });
    return;
  }
  const piece_bytes = storedBytes(type, import_limits.piece_elements);
  for (let at = 0; at < stored_bytes; at += piece_bytes) {
    yield await source.read(offset + at, Math.min(piece_bytes, stored_bytes - at));
  }
}
