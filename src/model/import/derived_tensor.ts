// Tensors seen another way: renamed, reshaped, transposed, a row of a stack, scaled. Nothing is read before it is
// asked for. Must not know RWKV or containers.
import type { CheckpointTensor } from "./checkpoint.ts";
import { encodeFloats } from "./float_encoding.ts";
import { importError, quote } from "./import_error.ts";
import { import_limits } from "./limits.ts";

export function nameInFile({ name, name_in_file }: CheckpointTensor): string {
  return name_in_file ?? name;
}

/** The same elements under another name and, when given, another shape of as many elements. */
export function renamed(
  source: CheckpointTensor,
  name: string,
  shape: readonly number[] = source.shape,
): CheckpointTensor {
  return {
    name,
    name_in_file: source.name_in_file ?? source.name,
    type: source.type,
    shape,
    elements: source.elements,
    stored_bytes: source.stored_bytes,
    file: source.file,
    readFloats: () => source.readFloats(),
    readBytes: () => source.readBytes(),
  };
}

/** The last two dimensions change places: [.., r, c] → [.., c, r]. Read whole, so for small tensors only. */
export function transposed(source: CheckpointTensor, name: string): CheckpointTensor {
  if (source.shape.length < 2) return renamed(source, name); // left for the check of shapes to refuse
  const [rows, columns] = source.shape.slice(-2) as [number, number];
  const turn = <T extends Float32Array | Uint32Array | Uint16Array>(from: T, to: T): T => {
    const matrix = rows * columns;
    for (let start = 0; start < from.length; start += matrix) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          to[start + column * rows + row] = from[start + row * columns + column];
        }
      }
    }
    return to;
  };
  return {
    ...renamed(source, name, [...source.shape.slice(0, -2), columns, rows]),
    async *readFloats() {
      const whole = await readWhole(source);
      yield turn(whole, new Float32Array(whole.length));
    },
    async *readBytes() {
      const whole = await readWholeBytes(source);
      const Words = source.type === "f32" ? Uint32Array : Uint16Array;
      yield new Uint8Array(turn(new Words(whole.buffer), new Words(source.elements)).buffer);
    },
  };
}

/** Part `index` of `count` equal ones, as `shape`. Read whole. */
export function part(
  source: CheckpointTensor,
  name: string,
  index: number,
  count: number,
  shape: readonly number[],
): CheckpointTensor {
  const elements = source.elements / count;
  const bytes = source.stored_bytes / count;
  return {
    ...renamed(source, name, shape),
    elements,
    stored_bytes: bytes,
    async *readFloats() {
      yield (await readWhole(source)).slice(index * elements, (index + 1) * elements);
    },
    async *readBytes() {
      yield (await readWholeBytes(source)).slice(index * bytes, (index + 1) * bytes);
    },
  };
}

/** Every element times `factor`, a power of two: exact unless a number leaves the range of its type. */
export function scaled(source: CheckpointTensor, name: string, factor: number): CheckpointTensor {
  const { type } = source;
  async function* readFloats() {
    for await (const piece of source.readFloats()) yield piece.map((value) => value * factor);
  }
  return {
    ...renamed(source, name),
    readFloats,
    async *readBytes() {
      if (type !== "f32" && type !== "f16" && type !== "bf16") {
        throw new RangeError(`${type} has no bytes here`);
      }
      for await (const piece of readFloats()) yield encodeFloats(piece, type);
    },
  };
}

async function readWhole(source: CheckpointTensor): Promise<Float32Array<ArrayBuffer>> {
  const whole = new Float32Array(wholeElements(source));
  let end = 0;
  for await (const piece of source.readFloats()) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}

async function readWholeBytes(source: CheckpointTensor): Promise<Uint8Array<ArrayBuffer>> {
  wholeElements(source);
  const whole = new Uint8Array(source.stored_bytes);
  let end = 0;
  for await (const piece of source.readBytes()) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}

function wholeElements({ name, elements, file }: CheckpointTensor): number {
  if (elements <= import_limits.whole_elements_max) return elements;
  const reason = `its tensor ${quote(name)} has ${elements} elements, too many to turn round in memory`;
  throw importError("import_refused", file, reason);
}
