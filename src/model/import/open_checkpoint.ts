// The door of the importer: paths become one checkpoint, whatever containers the files are. Owns the file handles.
// Must not know names of weights.
import { type ByteSource, openFile } from "./byte_source.ts";
import type { Checkpoint, CheckpointFile, CheckpointTensor } from "./checkpoint.ts";
import { readContainer } from "./detect_container.ts";
import { importError, quote } from "./import_error.ts";
import { import_limits } from "./limits.ts";
import { findFiles } from "./shard_files.ts";

/**
 * Opens the files at `paths`: each a torch archive, safetensors, GGUF, the index of a sharded checkpoint, one of its
 * shards, or the folder with it. What a file is, its content says. Reads headers only.
 *
 * Throws ImportError, with all files closed, when one cannot be read, is not whole, is of another kind, or when two
 * files have a tensor of the same name.
 */
export async function openCheckpoint(paths: readonly string[]): Promise<Checkpoint> {
  const found = await findFiles(paths);
  const sources: ByteSource[] = [];
  try {
    for (const path of found.paths) sources.push(await openFile(path));
    const checkpoint = await joinContainers(sources);
    for (const [name, path] of found.expected) {
      if (checkpoint.tensors.get(name)?.file !== path) {
        throw importError("import_damaged", path, `it lacks tensor ${quote(name)}, which the index promises`);
      }
    }
    return { ...checkpoint, metadata: new Map([...found.metadata, ...checkpoint.metadata]) };
  } catch (error) {
    await closeAll(sources);
    throw error;
  }
}

/** The same for sources that are open already; closing the checkpoint closes them. Throws ImportError. */
export async function joinContainers(sources: readonly ByteSource[]): Promise<Checkpoint> {
  const files: CheckpointFile[] = [];
  const tensors = new Map<string, CheckpointTensor>();
  const metadata = new Map<string, unknown>();
  for (const source of sources) {
    const found = await readContainer(source);
    files.push({ path: source.path, bytes: source.size, container: found.container });
    for (const [name, tensor] of found.tensors) {
      const other = tensors.get(name);
      if (other) {
        throw importError(
          "import_refused",
          source.path,
          `${quote(other.file)} also has tensor ${quote(name)}`,
        );
      }
      tensors.set(name, tensor);
    }
    // Shards repeat each other; the first one counts.
    for (const [key, value] of found.metadata) if (!metadata.has(key)) metadata.set(key, value);
  }
  if (tensors.size > import_limits.tensors_max * 2) {
    throw importError(
      "import_refused",
      sources[0]!.path,
      `with its other files it has ${tensors.size} tensors`,
    );
  }
  return { files, tensors, metadata, [Symbol.asyncDispose]: () => closeAll(sources) };
}

async function closeAll(sources: readonly ByteSource[]): Promise<void> {
  for (const source of sources) await source[Symbol.asyncDispose]();
}
