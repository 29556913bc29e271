// One GGUF file, version 2 or 3, as a container of tensors. Owns its header's rules: counts, alignment, where tensors
// may stand. Must not know architectures or names of weights.
import { block_layouts } from "./block_types.ts";
import type { ByteSource } from "./byte_source.ts";
import type { CheckpointTensor } from "./checkpoint.ts";
import type { Container } from "./container.ts";
import { isPlain } from "./element_types.ts";
import { GgufCursor } from "./gguf_cursor.ts";
import { ggufType } from "./gguf_types.ts";
import { type GgufValue, readValue } from "./gguf_values.ts";
import { importError, quote } from "./import_error.ts";
import { import_limits } from "./limits.ts";
import { countElements, storedBytes, storedTensor } from "./stored_tensor.ts";

const mark_bytes = 4;
const versions = [2, 3];
/** Unless general.alignment says otherwise. */
const default_alignment_bytes = 32;
/** ggml's own bound. */
const dimensions_max = 4;

/** Throws ImportError. */
export async function readGguf(source: ByteSource): Promise<Container> {
  const cursor = new GgufCursor(source, mark_bytes);
  const version = await cursor.u32();
  if (!versions.includes(version)) {
    const reason = (version & 0xffff) === 0
      ? "it is big-endian"
      : `it is GGUF version ${version}; 2 and 3 are read`;
    throw importError("import_refused", source.path, reason);
  }
  const tensor_count = await cursor.count();
  const pair_count = await cursor.count();
  if (tensor_count > import_limits.tensors_max || pair_count > import_limits.gguf_pairs_max) {
    const reason = `its header claims ${tensor_count} tensors and ${pair_count} key-values`;
    throw importError("import_damaged", source.path, reason);
  }
  const metadata = await readPairs(cursor, pair_count);
  const alignment = readAlignment(source, metadata.get("general.alignment"));
  const infos: TensorInfo[] = [];
  const names = new Set<string>();
  while (infos.length < tensor_count) {
    const info = await readInfo(cursor);
    if (names.has(info.name)) throw damaged(source, `tensor ${quote(info.name)} is there twice`);
    names.add(info.name);
    infos.push(info);
  }
  const data_start = Math.ceil(cursor.at / alignment) * alignment;
  checkPlaces(source, infos, data_start, alignment);
  const tensors = new Map<string, CheckpointTensor>();
  for (const { name, type, shape, offset } of infos) {
    tensors.set(name, storedTensor(source, { name, type, shape, offset: data_start + offset }));
  }
  return { container: "gguf", tensors, metadata };
}

async function readPairs(cursor: GgufCursor, count: number): Promise<Map<string, GgufValue>> {
  const pairs = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = await cursor.text();
    if (pairs.has(key)) throw damaged(cursor.source, `its header has ${quote(key)} twice`);
    pairs.set(key, await readValue(cursor));
  }
  return pairs;
}

function readAlignment(source: ByteSource, value: GgufValue | undefined): number {
  if (value === undefined) return default_alignment_bytes;
  const power_of_two = typeof value === "number" && Number.isInteger(Math.log2(value));
  if (power_of_two && value >= 1 && value <= 1 << 20) return value;
  throw damaged(source, `its alignment is ${quote(String(value))}`);
}

interface TensorInfo {
  name: string;
  type: CheckpointTensor["type"];
  /** Outermost first. */
  shape: number[];
  /** In bytes, from the beginning of the data. */
  offset: number;
  bytes: number;
}

async function readInfo(cursor: GgufCursor): Promise<TensorInfo> {
  const { source } = cursor;
  const name = await cursor.text();
  if (name === "" || name.length > import_limits.name_chars_max) {
    throw damaged(source, `it has a tensor with the name ${quote(name)}`);
  }
  const dimensions = await cursor.u32();
  if (dimensions > dimensions_max) {
    throw damaged(source, `tensor ${quote(name)} has ${dimensions} dimensions`);
  }
  const sizes: number[] = [];
  while (sizes.length < dimensions) sizes.push(await cursor.count());
  const number = await cursor.u32();
  const offset = await cursor.count();
  const found = ggufType(number);
  if (found.type === undefined) {
    throw importError(
      "import_refused",
      source.path,
      `tensor ${quote(name)} has type ${found.name}, which is not read`,
    );
  }
  const { type } = found;
  const elements = countElements(sizes);
  if (elements === undefined || !sizes.every(Number.isSafeInteger)) {
    throw damaged(source, `tensor ${quote(name)} has the impossible shape [${sizes.join(", ")}]`);
  }
  // The file's first size is the innermost: one row, which is made of whole blocks.
  const row = sizes[0] ?? 1;
  if (!isPlain(type) && row % block_layouts[type].block_elements !== 0) {
    throw damaged(
      source,
      `tensor ${quote(name)} has rows of ${row}, which are no whole ${found.name} blocks`,
    );
  }
  return { name, type, shape: sizes.reverse(), offset, bytes: storedBytes(type, elements) };
}

function checkPlaces(
  source: ByteSource,
  infos: readonly TensorInfo[],
  data_start: number,
  alignment: number,
): void {
  const placed = infos.toSorted((a, b) => a.offset - b.offset);
  let end = 0;
  for (const { name, offset, bytes } of placed) {
    if (!Number.isSafeInteger(offset) || offset % alignment !== 0) {
      throw damaged(source, `tensor ${quote(name)} is not aligned to ${alignment} bytes`);
    }
    if (!(data_start + offset + bytes <= source.size)) {
      throw damaged(
        source,
        `it is cut short: tensor ${quote(name)} ends at ${
          data_start + offset + bytes
        } of ${source.size} bytes`,
      );
    }
    if (bytes === 0) continue;
    if (offset < end) throw damaged(source, `tensor ${quote(name)} overlaps the one before it`);
    end = offset + bytes;
  }
}

function damaged(source: ByteSource, reason: string) {
  return importError("import_damaged", source.path, reason);
}
