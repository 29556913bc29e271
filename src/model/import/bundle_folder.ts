// A folder that appears whole or not at all: filled beside its place under a hidden name, then moved there.
// Owns what may be replaced and whether the disk has room. Must not know what is written.
import { statfs } from "node:fs/promises";
import { join, resolve } from "node:path";
import { manifest_bytes_max, manifest_file } from "../bundle.ts";
import { reason } from "../bundle_files.ts";
import { type FolderBeside, openFolderBeside } from "./folder_beside.ts";
import { ImportError, quote } from "./import_error.ts";

function unwritable(dir: string, why: string, cause?: unknown): ImportError {
  return new ImportError("import_unwritable", `Cannot write ${quote(dir)}: ${why}.`, { cause });
}

/** Throws ImportError when `dir` is there and holds one of `inputs`: what is read would be replaced. */
export async function refuseInside(dir: string, inputs: readonly string[]): Promise<void> {
  const place = await Deno.realPath(dir).catch(() => undefined);
  if (place === undefined) return;
  for (const input of inputs) {
    for (const path of [resolve(input), await Deno.realPath(input).catch(() => resolve(input))]) {
      if (path !== place && !path.startsWith(join(place, "/"))) continue;
      throw unwritable(dir, `${quote(input)} lies in it, and is read`);
    }
  }
}

/**
 * Throws ImportError: something is there that must not be replaced. `force` allows another bundle without anything of
 * somebody else's, and nothing else.
 */
export async function checkPlace(dir: string, force: boolean): Promise<void> {
  let names: string[];
  try {
    names = (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw unwritable(dir, reason(error), error);
  }
  if (names.length === 0) return;
  if (!names.includes(manifest_file)) {
    throw unwritable(dir, "the folder is there, with files that are no bundle");
  }
  const listed = await readListed(join(dir, manifest_file));
  if (listed === undefined) {
    throw unwritable(dir, `the folder is there, and is no bundle: its ${manifest_file} is of something else`);
  }
  if (!force) throw unwritable(dir, "a bundle is there already; --force replaces it");
  const other = await findUnlisted(dir, listed);
  if (other !== undefined) {
    throw unwritable(dir, `it also holds ${quote(other)}, which is not of the bundle; move that away first`);
  }
}

/** Paths of the files that make up a bundle; a damaged one is replaced, too. Undefined: no manifest of a bundle. */
async function readListed(path: string): Promise<Set<string> | undefined> {
  try {
    const { size, isFile } = await Deno.stat(path);
    if (!isFile || size > manifest_bytes_max) return undefined;
    const manifest = JSON.parse(await Deno.readTextFile(path));
    if (manifest?.format !== "gander-bundle") return undefined;
    const sources: unknown[] = Array.isArray(manifest.sources) ? manifest.sources : [];
    const paths = sources.map((source) => (source as { path?: unknown } | null)?.path);
    return new Set([manifest_file, ...paths.filter((path) => typeof path === "string")]);
  } catch {
    return undefined;
  }
}

/** The first thing in the folder that is no listed file and no folder on the way to one. */
async function findUnlisted(dir: string, listed: Set<string>, inside = ""): Promise<string | undefined> {
  const entries = await Array.fromAsync(Deno.readDir(join(dir, inside)));
  for (const { name, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const path = inside + name;
    if (!isDirectory) {
      if (!listed.has(path)) return path;
      continue;
    }
    if (![...listed].some((one) => one.startsWith(`${path}/`))) return path;
    const other = await findUnlisted(dir, listed, `${path}/`);
    if (other !== undefined) return other;
  }
}

/** Throws ImportError when the disk of `dir` says that it has less room. */
export async function checkRoom(dir: string, needed_bytes: number): Promise<void> {
  let free_bytes: number;
  try {
    const { bavail, bsize } = await statfs(dir);
    free_bytes = bavail * bsize;
  } catch {
    return; // Not every system can tell; writing will.
  }
  if (free_bytes >= needed_bytes) return;
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw unwritable(dir, `it needs ${gb(needed_bytes)}, the disk has ${gb(free_bytes)} left`);
}

/**
 * Gives `fill` an empty folder beside `dir` and moves it to `dir` when it is done. When it fails, nothing is left. A
 * bundle that was at `dir` stays until then. Where `dir` is a link, what it leads to is replaced.
 */
export async function fillFolder<T>(
  dir: string,
  force: boolean,
  fill: (folder: string) => Promise<T>,
): Promise<T> {
  const place = await followLink(dir);
  await checkPlace(place, force);
  await using aside = await openFolderBeside(place).catch((cause) => {
    throw unwritable(dir, reason(cause), cause);
  });
  const result = await fill(aside.fresh);
  await checkPlace(place, force);
  await moveInto(aside, place);
  return result;
}

async function followLink(dir: string): Promise<string> {
  try {
    return await Deno.realPath(dir);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw unwritable(dir, reason(error), error);
  }
  const link = await Deno.lstat(dir).catch(() => undefined);
  if (link?.isSymlink) throw unwritable(dir, "it is a link that leads nowhere");
  return resolve(dir);
}

async function moveInto({ fresh, old }: FolderBeside, to: string): Promise<void> {
  try {
    await Deno.rename(to, old);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw unwritable(to, reason(error), error);
  }
  try {
    await Deno.rename(fresh, to);
  } catch (cause) {
    const stuck = await Deno.rename(old, to).then(
      () => false,
      (error) => !(error instanceof Deno.errors.NotFound), // Not found: there was nothing to replace.
    );
    throw unwritable(to, reason(cause) + (stuck ? `; what was there is now ${quote(old)}` : ""), cause);
  }
}
