// Weights as a .pth that torch.load and every RWKV program opens: a ZIP of data.pkl and one storage a tensor. Owns the
// layout and that the file is whole or not there. Must not know models.
import { dirname } from "node:path";
import { encodeFloats } from "../model/import/float_encoding.ts";
import { train_limits } from "./limits.ts";
import type { NamedTensor } from "./ports.ts";
import { pickleTensors } from "./torch_pickle.ts";
import { ZipWriter } from "./zip_writer.ts";

export interface TorchOptions {
  type: "f32" | "bf16";
  /** For tests: sizes from here on go into ZIP64 records. */
  wide_from_bytes?: number;
}

const element_bytes = { f32: 4, bf16: 2 } as const;
/** Folder of all entries. */
const folder = "archive";

/**
 * Writes `tensors` to `path`: beside it first, flushed, then renamed over it. Encodes a piece at a time; bf16 rounds to
 * nearest, ties to even. Throws RangeError when a tensor contradicts itself, and what the disk throws; leaves nothing then.
 */
export async function writeTorch(
  path: string,
  tensors: ReadonlyMap<string, NamedTensor>,
  { type, wide_from_bytes }: TorchOptions,
): Promise<void> {
  const part = `${path}.part`;
  const list = [...tensors].map(([name, tensor], index) => ({ name, key: String(index), ...tensor }));
  for (const { name, dims, data } of list) {
    const elements = dims.reduce((product, size) => product * size, 1);
    if (elements !== data.length) {
      throw new RangeError(`Tensor "${name}" has ${data.length} of ${elements} elements`);
    }
  }
  try {
    using file = await Deno.open(part, { write: true, create: true, truncate: true });
    const zip = new ZipWriter(file, wide_from_bytes);
    const add = (name: string, bytes: Uint8Array) => zip.add(`${folder}/${name}`, bytes.length, [bytes]);
    await add("data.pkl", pickleTensors(list, type));
    await add("byteorder", new TextEncoder().encode("little"));
    for (const { key, data } of list) {
      await zip.add(`${folder}/data/${key}`, data.length * element_bytes[type], encoded(data, type));
    }
    await add("version", new TextEncoder().encode("3\n"));
    await zip.end();
    await file.sync();
    await Deno.rename(part, path);
    using parent = await Deno.open(dirname(path), { read: true });
    await parent.sync(); // A rename is durable only when the folder is on the disk.
  } catch (error) {
    await Deno.remove(part).catch(() => {}); // It may not exist.
    throw error;
  }
}

function* encoded(data: Float32Array, type: TorchOptions["type"]): Generator<Uint8Array> {
  for (let at = 0; at < data.length; at += train_limits.piece_elements) {
    const piece = data.subarray(at, at + train_limits.piece_elements);
    yield encodeFloats(piece as Float32Array<ArrayBuffer>, type);
  }
}
