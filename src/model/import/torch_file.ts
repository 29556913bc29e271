// torch.save's archive as a container of tensors: finds data.pkl, the dictionary of tensors in it, and checks that
// every tensor lies inside its storage. Must not know names of weights.
import type { ByteSource } from "./byte_source.ts";
import type { Container } from "./container.ts";
import type { CheckpointTensor } from "./checkpoint.ts";
import { checkContent, CheckedStorage } from "./checked_storage.ts";
import { plain_bytes } from "./element_types.ts";
import { importError, quote } from "./import_error.ts";
import { import_limits } from "./limits.ts";
import { unpickle } from "./pickle_machine.ts";
import { PickleDamaged, PickleDict, PickleRefused, type PickleValue } from "./pickle_values.ts";
import { countElements, storedTensor } from "./stored_tensor.ts";
import { torch_host, TorchTensor } from "./torch_objects.ts";
import { isContiguous } from "./strided_reads.ts";
import { readZip, type ZipEntry } from "./zip_directory.ts";

/** Throws ImportError. */
export async function readTorch(source: ByteSource): Promise<Container> {
  const entries = await readZip(source);
  const pickles = [...entries.values()].filter(({ name }) =>
    name === "data.pkl" || name.endsWith("/data.pkl")
  );
  const [pickle] = pickles;
  if (!pickle || pickles.length > 1) {
    throw importError(
      "import_refused",
      source.path,
      `it is a ZIP archive with ${pickles.length} files "data.pkl"; torch.save writes one`,
    );
  }
  const folder = pickle.name.slice(0, -"data.pkl".length);
  await checkByteOrder(source, entries.get(`${folder}byteorder`));
  const top = await readPickle(source, pickle);
  return readState(source, findState(source, top), findStorages(source, entries, `${folder}data/`));
}

/** Storages by key. A key in a pickle may be long and shared by all tensors: none is joined to the folder's name. */
function findStorages(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
  folder: string,
): Map<string, CheckedStorage> {
  const storages = new Map<string, CheckedStorage>();
  for (const entry of entries.values()) {
    if (entry.name.startsWith(folder)) {
      storages.set(entry.name.slice(folder.length), new CheckedStorage(source, entry));
    }
  }
  return storages;
}

function readState(
  source: ByteSource,
  state: PickleDict,
  storages: ReadonlyMap<string, CheckedStorage>,
): Container {
  const refuse = (reason: string) => importError("import_refused", source.path, reason);
  const { tensors_max, shared_bytes_factor, name_chars_max } = import_limits;
  if (state.entries.size > tensors_max) {
    throw refuse(`its dictionary has ${state.entries.size} names; ${tensors_max} are read`);
  }
  const tensors = new Map<string, CheckpointTensor>();
  const metadata = new Map<string, unknown>();
  let stored_bytes = 0;
  for (const [name, value] of state.entries) {
    if (value instanceof TorchTensor) {
      if (name.length > name_chars_max || name === "") {
        throw refuse(`it has a tensor with the name ${quote(name)}`);
      }
      const tensor = placeTensor(source, name, value, storages.get(value.storage.key));
      stored_bytes += tensor.stored_bytes;
      if (stored_bytes > shared_bytes_factor * source.size) {
        throw refuse(`its tensors share storages and are more than ${shared_bytes_factor} times the file`);
      }
      tensors.set(name, tensor);
    } else if (typeof value !== "object") {
      metadata.set(name, value);
    } else {
      throw refuse(`${quote(name)} in it is no tensor`);
    }
  }
  return { container: "torch", tensors, metadata };
}

async function checkByteOrder(source: ByteSource, entry?: ZipEntry): Promise<void> {
  if (!entry) return; // Older files do not say; they were little-endian.
  const text = new TextDecoder().decode(await source.read(entry.offset, Math.min(entry.bytes, 16)));
  if (text.trim() !== "little") {
    throw importError(
      "import_refused",
      source.path,
      `its byte order is ${quote(text)}; only "little" is read`,
    );
  }
}

async function readPickle(source: ByteSource, entry: ZipEntry): Promise<PickleValue> {
  const { offset, bytes } = entry;
  if (bytes > import_limits.pickle_bytes_max) {
    throw importError("import_refused", source.path, `its pickle has ${bytes} bytes`);
  }
  const pickle = await source.read(offset, bytes);
  checkContent(source, entry, pickle);
  try {
    return unpickle(pickle, torch_host);
  } catch (error) {
    if (error instanceof PickleRefused) {
      throw importError("import_refused", source.path, error.message, error);
    }
    if (error instanceof PickleDamaged) {
      throw importError("import_damaged", source.path, error.message, error);
    }
    throw error;
  }
}

/** The dictionary that holds the tensors: the top one, or the only one inside it that has some. */
function findState(source: ByteSource, top: PickleValue): PickleDict {
  const refuse = (reason: string) => importError("import_refused", source.path, reason);
  if (!(top instanceof PickleDict)) throw refuse("it holds no dictionary of tensors");
  if (hasTensors(top)) return top;
  // One dictionary can stand under a million names: each is judged once, so the work is that of reading the pickle.
  const dicts = new Set<PickleDict>();
  for (const value of top.entries.values()) if (value instanceof PickleDict) dicts.add(value);
  const states = new Set<PickleValue>([...dicts].filter(hasTensors));
  const inside = [...top.entries].filter(([, value]) => states.has(value));
  if (inside.length === 0) throw refuse("it holds no dictionary of tensors");
  if (inside.length > 1) {
    const keys = inside.slice(0, 4).map(([key]) => quote(key));
    throw refuse(`${keys.join(", ")} in it all hold tensors; save the one that is meant by itself`);
  }
  return inside[0]![1] as PickleDict;
}

function hasTensors(dict: PickleDict): boolean {
  for (const value of dict.entries.values()) if (value instanceof TorchTensor) return true;
  return false;
}

/** Checks the view against its storage and the storage against its entry. */
function placeTensor(
  source: ByteSource,
  name: string,
  tensor: TorchTensor,
  checked: CheckedStorage | undefined,
): CheckpointTensor {
  const { storage, shape, strides } = tensor;
  const { type } = storage;
  const damaged = (reason: string) =>
    importError("import_damaged", source.path, `tensor ${quote(name)} ${reason}`);
  if (!checked) throw damaged(`needs storage ${quote(storage.key)}, which is not in the archive`);
  const { entry } = checked;
  const storage_bytes = storage.elements * plain_bytes[type];
  if (entry.bytes !== storage_bytes) {
    throw damaged(`claims a storage of ${storage_bytes} bytes; the archive has ${entry.bytes}`);
  }
  const capacity = Math.floor(entry.bytes / plain_bytes[type]);
  const elements = countElements(shape)!;
  const last = shape.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, tensor.offset);
  // No more elements than the storage has: none is read twice, so a small file cannot become a large tensor.
  if (elements > capacity || tensor.offset > capacity || elements > 0 && !(last < capacity)) {
    throw damaged(`of shape [${shape.join(", ")}] reaches outside its storage of ${capacity} elements`);
  }
  const offset = entry.offset + tensor.offset * plain_bytes[type];
  const whole = tensor.offset === 0 && elements === capacity && isContiguous(shape, strides);
  return storedTensor(source, {
    ...{ name, type, shape, offset, strides },
    check: (pieces) => whole ? checked.passing(name, pieces) : checked.before(name, pieces),
  });
}
