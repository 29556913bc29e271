// A model on disk: a folder with manifest.json, weights, tokenizer and, unless it is text only, a vision tower.
// Owns that the folder is whole and says the truth about itself. Must not know HTTP, streams or engines.
//
// The smallest manifest (text only; every other field has a default, see manifest.ts):
//
//   {
//     "format": "gander-bundle", "format_version": 1,
//     "name": "my-model", "licence": "Apache-2.0", "trained": true,
//     "sources": [
//       {"path": "rwkv.safetensors", "bytes": 382000000, "sha256": "<64 hex digits>", "origin": "where it is from"},
//       {"path": "tokenizer.txt", "bytes": 1093733, "sha256": "<64 hex digits>", "origin": "where it is from"}
//     ],
//     "rwkv": {"file": "rwkv.safetensors", "version": 7, "layers": 12, "width": 768, "vocab": 65536},
//     "tokenizer": {"file": "tokenizer.txt"}
//   }
import { checkFile, type FileProblem, locateFile, reason } from "./bundle_files.ts";
import { ModelError, problemText } from "./errors.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { readCompressorShape, readRwkvShape } from "./rwkv_header.ts";
import { readSafetensorsHeader } from "./safetensors.ts";

export const manifest_file = "manifest.json";
export const manifest_bytes_max = 1 << 20;

export interface Bundle {
  /** Real path of the folder. All paths are absolute and free of symlinks. */
  readonly dir: string;
  readonly manifest: Manifest;
  readonly weights_path: string;
  /** Undefined when nobody brought a vocabulary. */
  readonly tokenizer_path: string | undefined;
  /** Undefined in a text-only bundle. */
  readonly vision_path: string | undefined;
  /** Undefined unless the model shortens the vectors of a picture. */
  readonly compressor_path: string | undefined;
}

export interface ReadBundleOptions {
  /** "sizes" leaves out the SHA-256 of the files: for starting again with a bundle checked before. */
  verify?: "hashes" | "sizes";
}

/** Throws ModelError; all problems that can be seen together are reported together. */
export async function readBundle(
  dir: string,
  { verify = "hashes" }: ReadBundleOptions = {},
): Promise<Bundle> {
  const opening = `Cannot use bundle "${dir}"`;
  let root: string;
  try {
    root = await Deno.realPath(dir);
  } catch (cause) {
    throw new ModelError("bundle_missing", `${opening}: ${reason(cause)}`, { cause });
  }
  const manifest = await loadManifest(root, opening);

  const paths = new Map<string, string>();
  const problems: FileProblem[] = [];
  for (const source of manifest.sources) {
    const real = await locateFile(root, source.path);
    const problem = typeof real === "string" ? await checkFile(real, source, verify) : real;
    if (problem !== undefined) problems.push(problem);
    else paths.set(source.path, real as string);
  }
  refuse(opening, problems);

  const weights_path = paths.get(manifest.rwkv.file)!;
  refuse(opening, await compareWeights(weights_path, manifest));
  const compressor = manifest.vision?.compressor ?? undefined;
  const compressor_path = compressor && paths.get(compressor.file)!;
  if (compressor_path !== undefined) refuse(opening, await compareCompressor(compressor_path, manifest));
  return {
    dir: root,
    manifest,
    weights_path,
    tokenizer_path: manifest.tokenizer === null ? undefined : paths.get(manifest.tokenizer.file)!,
    vision_path: manifest.vision === null ? undefined : paths.get(manifest.vision.file)!,
    compressor_path,
  };
}

async function loadManifest(root: string, opening: string): Promise<Manifest> {
  const real = await locateFile(root, manifest_file);
  if (typeof real !== "string") throw new ModelError(real.code, `${opening}: ${real.text}`);
  let value: unknown;
  try {
    const { size, isFile } = await Deno.stat(real);
    if (!isFile) throw new Error("not a file");
    if (size > manifest_bytes_max) throw new Error(`${size} bytes are too many`);
    value = JSON.parse(await Deno.readTextFile(real));
  } catch (cause) {
    throw new ModelError("bundle_invalid", `${opening}: ${manifest_file}: ${reason(cause)}`, { cause });
  }
  const result = readManifest(value);
  if ("problems" in result) {
    throw new ModelError("bundle_invalid", problemText(`${opening}: ${manifest_file}`, result.problems));
  }
  return result.manifest;
}

/** The header of the weights against the manifest. Only the header is read. */
async function compareWeights(path: string, { rwkv }: Manifest): Promise<FileProblem[]> {
  let found: ReturnType<typeof readRwkvShape>;
  try {
    found = readRwkvShape(await readSafetensorsHeader(path));
  } catch (error) {
    return [{ code: "bundle_damaged", text: `${rwkv.file}: ${reason(error)}` }];
  }
  if (typeof found === "string") return [{ code: "bundle_invalid", text: `${rwkv.file}: ${found}` }];
  const shape = found;
  return (["version", "layers", "width", "vocab"] as const)
    .filter((key) => shape[key] !== rwkv[key])
    .map((key) => ({
      code: "bundle_invalid",
      text: `rwkv.${key}: the manifest says ${rwkv[key]}, ${rwkv.file} has ${shape[key]}`,
    }));
}

/** The same for the blocks of the token compressor. */
async function compareCompressor(path: string, { rwkv, vision }: Manifest): Promise<FileProblem[]> {
  const { file, layers } = vision!.compressor!;
  let found: ReturnType<typeof readCompressorShape>;
  try {
    found = readCompressorShape(await readSafetensorsHeader(path));
  } catch (error) {
    return [{ code: "bundle_damaged", text: `${file}: ${reason(error)}` }];
  }
  if (typeof found === "string") return [{ code: "bundle_invalid", text: `${file}: ${found}` }];
  const differing = [
    ["layers", layers, found.layers],
    ["width", rwkv.width, found.width],
  ] as const;
  return differing.filter(([, wanted, there]) => wanted !== there).map(([key, wanted, there]) => ({
    code: "bundle_invalid",
    text: `vision.compressor: ${key} is ${wanted} in the manifest, ${there} in ${file}`,
  }));
}

function refuse(opening: string, problems: readonly FileProblem[]): void {
  if (problems.length === 0) return;
  throw new ModelError(problems[0].code, problemText(opening, problems.map((problem) => problem.text)));
}
