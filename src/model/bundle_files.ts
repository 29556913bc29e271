// The files of a bundle on disk: inside the folder, of the right size, with the right SHA-256.
// Must not know what is in them.
import { createHash } from "node:crypto";
import { isAbsolute, join, relative } from "node:path";
import type { ModelCode } from "./errors.ts";

export interface FileProblem {
  code: ModelCode;
  text: string;
}

export interface ExpectedFile {
  path: string;
  bytes: number;
  sha256: string;
}

/** Lowercase hex. Reads a MiB at a time, so a file of any size needs no memory. */
export async function hashFile(path: string): Promise<string> {
  using file = await Deno.open(path, { read: true });
  const hash = createHash("sha256");
  const piece = new Uint8Array(1 << 20);
  for (;;) {
    const read_bytes = await file.read(piece);
    if (read_bytes === null) return hash.digest("hex");
    hash.update(piece.subarray(0, read_bytes));
  }
}

/**
 * The absolute path of `path` with every symlink followed, or what is wrong. `root` is the real path of the
 * folder: a link inside that leads out of it is refused.
 */
export async function locateFile(root: string, path: string): Promise<string | FileProblem> {
  let real: string;
  try {
    real = await Deno.realPath(join(root, path));
  } catch (error) {
    return { code: "bundle_missing", text: `${path}: ${reason(error)}` };
  }
  const from_root = relative(root, real);
  if (from_root === "" || from_root === ".." || /^\.\.[/\\]/.test(from_root) || isAbsolute(from_root)) {
    return { code: "bundle_invalid", text: `${path}: leads out of the bundle` };
  }
  return real;
}

/** Size first, because it is free; then the content. Undefined when all is well. */
export async function checkFile(
  real: string,
  expected: ExpectedFile,
  verify: "hashes" | "sizes",
): Promise<FileProblem | undefined> {
  const { path, bytes, sha256 } = expected;
  try {
    const stat = await Deno.stat(real);
    if (!stat.isFile) return { code: "bundle_invalid", text: `${path}: not a file` };
    if (stat.size !== bytes) {
      return { code: "bundle_damaged", text: `${path}: ${stat.size} bytes, the manifest says ${bytes}` };
    }
    if (verify === "sizes") return undefined;
    const found = await hashFile(real);
    if (found !== sha256) {
      return { code: "bundle_damaged", text: `${path}: SHA-256 ${found}, the manifest says ${sha256}` };
    }
  } catch (error) {
    return { code: "bundle_missing", text: `${path}: ${reason(error)}` };
  }
  return undefined;
}

/** Why the system refused, without its error number. */
export function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "not found";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotADirectory) return "not a folder";
  return error instanceof Error ? error.message : String(error);
}
