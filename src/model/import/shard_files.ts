// From the paths a user gives to the files to open: folders and indexes of sharded checkpoints, and the config.json
// beside them. Must not know containers.
import { basename, dirname, join } from "node:path";
import { reason } from "../bundle_files.ts";
import { ImportError, importError, quote } from "./import_error.ts";
import { import_limits } from "./limits.ts";
import { JsonRefused, parseStrictJson } from "./strict_json.ts";

export interface FoundFiles {
  paths: string[];
  /** Tensor → path of the file that an index says it is in. */
  expected: Map<string, string>;
  metadata: Map<string, unknown>;
}

const index_name = /\.index\.json$/;
const shard_name = /^(.+)-\d{5}-of-\d{5}\.(safetensors|bin)$/;

/** Every file once, in order. Throws ImportError. */
export async function findFiles(paths: readonly string[]): Promise<FoundFiles> {
  if (paths.length === 0) throw new RangeError("No path is given");
  const found: FoundFiles = { paths: [], expected: new Map(), metadata: new Map() };
  for (const path of paths) {
    const main = await mainFile(path);
    if (index_name.test(main)) await addShards(found, main);
    else found.paths.push(main);
    // A torch or GGUF file says everything itself; beside safetensors, sizes that no shape shows stand here.
    if (/\.(safetensors|json)$/.test(main)) await addConfig(found, join(dirname(main), "config.json"));
  }
  found.paths = [...new Set(found.paths)];
  if (found.paths.length > import_limits.files_max) {
    throw importError("import_refused", paths[0]!, `it is ${found.paths.length} files`);
  }
  return found;
}

/** The index of a folder or shard, the only file of weights in a folder, or the path itself. */
async function mainFile(path: string): Promise<string> {
  try {
    if (!(await Deno.stat(path)).isDirectory) {
      const stem = shard_name.exec(basename(path));
      if (!stem) return path;
      const index = join(dirname(path), `${stem[1]}.${stem[2]}.index.json`);
      return await isFile(index) ? index : path;
    }
    const names: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(path)) if (!isDirectory) names.push(name);
    names.sort();
    const choices = [index_name, /\.safetensors$/, /\.gguf$/, /\.(pth|pt|bin)$/];
    const chosen = choices.map((pattern) => names.filter((name) => pattern.test(name)))
      .find((matches) => matches.length > 0);
    if (!chosen) throw importError("import_refused", path, "the folder has no file of weights");
    if (chosen.length > 1) {
      const listed = chosen.slice(0, 4).map((name) => quote(name)).join(", ");
      throw importError(
        "import_refused",
        path,
        `the folder has several files of weights (${listed}); name one`,
      );
    }
    return join(path, chosen[0]!);
  } catch (error) {
    throw asImportError(path, error);
  }
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((stat) => stat.isFile, () => false);
}

/** {"metadata": {…}, "weight_map": {"tensor": "file"}} */
async function addShards(found: FoundFiles, index: string): Promise<void> {
  const parsed = await readJson(index, import_limits.index_bytes_max);
  const map = parsed.get("weight_map");
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw importError("import_damaged", index, 'it has no "weight_map"');
  }
  for (const [tensor, name] of Object.entries(map)) {
    // The files stand beside the index; nothing it says leads elsewhere.
    if (typeof name !== "string" || name === "" || name === "." || name === ".." || /[/\\\0]/.test(name)) {
      throw importError("import_damaged", index, `${quote(String(name))} in it is no file name`);
    }
    const path = join(dirname(index), name);
    found.expected.set(tensor, path);
    found.paths.push(path);
  }
  if (found.expected.size === 0) throw importError("import_damaged", index, "it names no file");
}

async function addConfig(found: FoundFiles, path: string): Promise<void> {
  if (found.metadata.has("config.json") || !await isFile(path)) return;
  found.metadata.set("config.json", Object.fromEntries(await readJson(path, import_limits.config_bytes_max)));
}

/** The members of a JSON object in a file. */
async function readJson(path: string, bytes_max: number): Promise<Map<string, unknown>> {
  try {
    const { size, isFile } = await Deno.stat(path);
    if (!isFile || size > bytes_max) throw importError("import_refused", path, `it has ${size} bytes`);
    const value = parseStrictJson(await Deno.readFile(path));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return new Map(Object.entries(value));
    }
    throw new JsonRefused("is not a JSON object");
  } catch (error) {
    if (error instanceof JsonRefused) throw importError("import_damaged", path, `it ${error.message}`, error);
    throw asImportError(path, error);
  }
}

function asImportError(path: string, error: unknown): unknown {
  if (error instanceof ImportError) return error;
  return importError("import_unreadable", path, reason(error), error);
}
