// A folder that appears whole or not at all: filled beside its place under a hidden name, then moved there.
// Owns what may be replaced and whether the disk has room. Must not know what is written.
import { statfs } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { manifest_file } from "../bundle.ts";
import { reason } from "../bundle_files.ts";
import { ImportError, quote } from "./import_error.ts";

function unwritable(dir: string, why: string, cause?: unknown): ImportError {
  return new ImportError("import_unwritable", `Cannot write ${quote(dir)}: ${why}.`, { cause });
}

/** Throws ImportError: something is there that must not be replaced. `force` allows another bundle, and nothing else. */
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
  if (!force) throw unwritable(dir, "a bundle is there already; --force replaces it");
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
 * bundle that was at `dir` stays until then.
 */
export async function fillFolder<T>(
  dir: string,
  force: boolean,
  fill: (folder: string) => Promise<T>,
): Promise<T> {
  const place = resolve(dir);
  await checkPlace(place, force);
  const parent = dirname(place);
  let fresh: string;
  try {
    await Deno.mkdir(parent, { recursive: true });
    fresh = await Deno.makeTempDir({ dir: parent, prefix: `.${basename(place)}-import-` });
  } catch (cause) {
    throw unwritable(dir, reason(cause), cause);
  }
  try {
    const folder = join(fresh, "bundle");
    await Deno.mkdir(folder);
    const result = await fill(folder);
    await checkPlace(place, force);
    await moveInto(folder, place, join(fresh, "old"));
    return result;
  } finally {
    await Deno.remove(fresh, { recursive: true });
  }
}

async function moveInto(from: string, to: string, aside: string): Promise<void> {
  try {
    await Deno.rename(to, aside);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw unwritable(to, reason(error), error);
  }
  try {
    await Deno.rename(from, to);
  } catch (cause) {
    await Deno.rename(aside, to).catch(() => {}); // There may have been nothing.
    throw unwritable(to, reason(cause), cause);
  }
}
