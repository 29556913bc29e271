// One safetensors file as a container of tensors. Must not know shards or names of weights.
import {
  headerBytes,
  parseSafetensorsHeader,
  type SafetensorsHeader,
  UnknownTypeError,
} from "../safetensors.ts";
import type { ByteSource } from "./byte_source.ts";
import type { CheckpointTensor, PlainType } from "./checkpoint.ts";
import type { Container } from "./container.ts";
import { ImportError, importError, quote } from "./import_error.ts";
import { import_limits } from "./limits.ts";
import { storedTensor } from "./stored_tensor.ts";

/** Throws ImportError. */
export async function readSafetensors(source: ByteSource): Promise<Container> {
  const { tensors: entries, metadata, data_offset } = await readHeader(source);
  if (entries.size > import_limits.tensors_max) {
    throw importError("import_refused", source.path, `it has ${entries.size} tensors`);
  }
  const tensors = new Map<string, CheckpointTensor>();
  for (const [name, { dtype, shape, start }] of entries) {
    if (
      name === "" || name.length > import_limits.name_chars_max || shape.length > import_limits.dimensions_max
    ) {
      throw importError(
        "import_refused",
        source.path,
        `tensor ${quote(name)} has ${shape.length} dimensions`,
      );
    }
    const type = dtype.toLowerCase() as PlainType; // The reader knows exactly these.
    tensors.set(name, storedTensor(source, { name, type, shape, offset: data_offset + start }));
  }
  return { container: "safetensors", tensors, metadata };
}

async function readHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const prefix = await source.read(0, 8);
  try {
    const header_bytes = headerBytes(prefix, source.size, import_limits.safetensors_header_bytes_max);
    return parseSafetensorsHeader(await source.read(8, header_bytes), source.size);
  } catch (error) {
    if (error instanceof ImportError || !(error instanceof Error)) throw error;
    const code = error instanceof UnknownTypeError ? "import_refused" : "import_damaged";
    throw importError(code, source.path, error.message, error);
  }
}
