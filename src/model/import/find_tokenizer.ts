// The vocabulary for a bundle: given, lying beside the checkpoint, or inside a GGUF. Owns where it is looked for and
// that it fits the model. Must not know bundles.
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { reason } from "../bundle_files.ts";
import { readLiteral } from "../python_literal.ts";
import { Tokenizer } from "../tokenizer.ts";
import { tokenizer_bytes_max } from "../vocabulary.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { ImportError, quote } from "./import_error.ts";
import { import_limits } from "./limits.ts";

/** Of rwkv_vocab_v20230424.txt, the same in every place that has it. */
const world_sha256 = "e6dee3d4e31b4d5c40ac99508ac6c701ceef4bed681bf2167ce9a908552bca89";
const names_beside = ["tokenizer.txt", "rwkv_vocab_v20230424.txt"];

export interface FoundTokenizer {
  bytes: Uint8Array;
  tokenizer: Tokenizer;
  /** Where it lies, for the person who imports. */
  place: string;
  /** What it is, for everyone who gets the bundle: no path of a machine. */
  origin: string;
}

/**
 * `path` is what --tokenizer says; without it, undefined when there is none. A file beside the checkpoint with ids
 * beyond `vocab` is of another model and passed over. Throws ImportError when the file named is not there, or it or the
 * tokens in a GGUF have such ids, ModelError `tokenizer_invalid` when the file breaks a rule.
 */
export async function findTokenizer(
  checkpoint: Checkpoint,
  vocab: number,
  path?: string,
): Promise<FoundTokenizer | undefined> {
  const folders = [...new Set(checkpoint.files.map((file) => dirname(file.path)))];
  const places = path === undefined
    ? folders.flatMap((folder) => names_beside.map((name) => join(folder, name)))
    : [path];
  for (const place of places) {
    const bytes = await readIfThere(place, path !== undefined);
    if (bytes === undefined) continue;
    const world = createHash("sha256").update(bytes).digest("hex") === world_sha256;
    const origin = world ? "the World vocabulary, rwkv_vocab_v20230424.txt" : basename(place);
    const tokenizer = Tokenizer.parse(bytes, place);
    if (tokenizer.id_max < vocab) return { bytes, tokenizer, place, origin };
    if (path !== undefined) throw tooLarge(tokenizer, place, vocab);
  }
  const inside = await readGgufTokens(checkpoint);
  if (inside === undefined) return undefined;
  const place = checkpoint.files[0]!.path;
  const tokenizer = Tokenizer.parse(inside, place);
  if (tokenizer.id_max >= vocab) throw tooLarge(tokenizer, place, vocab);
  return { bytes: inside, tokenizer, place, origin: `the tokens in ${basename(place)}` };
}

async function readIfThere(path: string, needed: boolean): Promise<Uint8Array | undefined> {
  try {
    const { size, isFile } = await Deno.stat(path);
    if (!isFile || size > tokenizer_bytes_max) {
      throw new Error(isFile ? `${size} bytes are too many for a vocabulary` : "it is not a file");
    }
    return await Deno.readFile(path);
  } catch (cause) {
    if (!needed && cause instanceof Deno.errors.NotFound) return undefined;
    throw new ImportError("import_unreadable", `Cannot read tokenizer ${quote(path)}: ${reason(cause)}.`, {
      cause,
    });
  }
}

function tooLarge({ id_max }: Tokenizer, path: string, vocab: number): ImportError {
  return new ImportError(
    "import_refused",
    `Cannot use tokenizer ${quote(path)}: it has ids up to ${id_max}, the model has ${vocab} rows; ` +
      "it was made for another vocabulary.",
  );
}

/** llama.cpp keeps the bytes of a token as Python writes them between the quotes of b'…'. Token 0 is a mark. */
async function readGgufTokens({ metadata }: Checkpoint): Promise<Uint8Array | undefined> {
  if (metadata.get("tokenizer.ggml.model") !== "rwkv") return undefined;
  const stored = metadata.get("tokenizer.ggml.tokens");
  const tokens: unknown = isDeferred(stored) ? await stored.read() : stored;
  if (!Array.isArray(tokens) || tokens.length > import_limits.gguf_array_elements_max) return undefined;
  const lines: string[] = [];
  for (const [id, token] of tokens.entries()) {
    if (id === 0 || typeof token !== "string" || /^\[PAD\d+\]$/.test(token)) continue;
    // repr() takes double quotes when the text has single ones and no double ones.
    const mark = /(^|[^\\])(\\\\)*'/.test(token) ? '"' : "'";
    const literal = `b${mark}${token}${mark}`;
    const count = readLiteral(literal, new Uint8Array(literal.length * 3));
    if (typeof count === "string") {
      throw new ImportError(
        "import_refused",
        `Cannot use the vocabulary in the file: token ${id}: ${count}.`,
      );
    }
    lines.push(`${id} ${literal} ${count}\n`);
  }
  return new TextEncoder().encode(lines.join(""));
}

function isDeferred(value: unknown): value is { read(): Promise<unknown[]> } {
  return typeof (value as { read?: unknown } | undefined)?.read === "function";
}
