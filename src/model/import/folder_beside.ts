// The hidden folder beside a bundle's place in which the bundle is made, and the end of those that a killed import left.
// Owns their names and locks. Must not know bundles or what may be replaced.
import { basename, dirname, join } from "node:path";

export interface FolderBeside extends AsyncDisposable {
  /** An empty folder. */
  readonly fresh: string;
  /** Where what is replaced goes; not there yet. */
  readonly old: string;
}

const [fresh_name, old_name, lock_name] = ["bundle", "old", "lock"];

/**
 * Makes the folder, and its parents. Closing removes it with all that is in it, unless both `fresh` and `old` are
 * there: then the move went wrong half-way, and `old` may be the only copy.
 */
export async function openFolderBeside(place: string): Promise<FolderBeside> {
  const parent = dirname(place), prefix = `.${basename(place)}-import-`;
  await Deno.mkdir(parent, { recursive: true });
  await removeLeft(parent, prefix);
  const dir = await Deno.makeTempDir({ dir: parent, prefix });
  const lock = await holdLock(dir);
  const fresh = join(dir, fresh_name);
  await Deno.mkdir(fresh);
  return {
    fresh,
    old: join(dir, old_name),
    [Symbol.asyncDispose]: async () => {
      await removeUnlessHalf(dir);
      lock?.close();
    },
  };
}

/** The system lets go of a lock when its process ends, however it ends. Under its final name it is always held. */
async function holdLock(dir: string): Promise<Deno.FsFile | undefined> {
  const path = join(dir, `${lock_name}.new`);
  const file = await Deno.open(path, { write: true, createNew: true });
  try {
    if (!await file.tryLock(true)) throw new Error("held");
    await Deno.rename(path, join(dir, lock_name));
    return file;
  } catch {
    file.close(); // Not every disk can lock. Without the file nobody takes the folder away.
  }
}

async function removeLeft(parent: string, prefix: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(parent)) {
    if (!isDirectory || !name.startsWith(prefix)) continue;
    const dir = join(parent, name);
    try {
      using lock = await Deno.open(join(dir, lock_name), { write: true });
      if (await lock.tryLock(true)) await removeUnlessHalf(dir);
    } catch {
      // Not one of these folders, or not ours to remove: it takes room, and harms nobody.
    }
  }
}

async function removeUnlessHalf(dir: string): Promise<void> {
  const names = (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name);
  if (names.includes(fresh_name) && names.includes(old_name)) return;
  await Deno.remove(dir, { recursive: true });
}
