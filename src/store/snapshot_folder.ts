// Files and folders under snapshots/: names, temporary files, durable replacement, damaged files put aside.
// Must not know what is inside a snapshot but its head.
import type { Log } from "../log.ts";
import type { SnapshotHead } from "../pipeline/ports.ts";
import { store_limits } from "./limits.ts";
import { isWhole, prefix_bytes, readHead, readPrefix, SnapshotRefused } from "./snapshot_file.ts";

const extension = ".gsn";
/** 16 digits hold every safe integer, so names sort as numbers. */
const tick_digits = 16;
const file_name = /^(\d{16})\.gsn$/;
/** Also keeps a name from leaving its folder. */
const stream_name = /^[a-z0-9][a-z0-9_-]{0,63}$/;

export function isStreamName(name: string): boolean {
  return stream_name.test(name);
}

export function tickName(tick: number): string {
  return String(tick).padStart(tick_digits, "0") + extension;
}

/** A rename or removal is durable only when the folder itself is on the disk. */
export async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path, { read: true });
  await folder.sync();
}

/** After a power loss `path` is the old file or the whole new one, never a part. */
export async function replaceFile(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${folder}/${name}.tmp`;
  try {
    {
      using file = await Deno.open(temporary, { write: true, create: true, truncate: true, mode: 0o600 });
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    }
    await Deno.rename(temporary, `${folder}/${name}`);
    await syncFolder(folder);
  } catch (cause) {
    await Deno.remove(temporary).catch(() => {}); // It may not exist; the next open removes it anyway.
    throw cause;
  }
}

/** A whole and proven file. Throws SnapshotRefused, or what the file system says. */
export async function readWhole(
  path: string,
  expected: { stream: string; tick: number },
): Promise<{ head: SnapshotHead; bytes: Uint8Array<ArrayBuffer> }> {
  using file = await Deno.open(path, { read: true });
  const file_bytes = (await file.stat()).size;
  if (file_bytes > store_limits.file_bytes_max) {
    throw new SnapshotRefused("damaged", `${file_bytes} bytes are too many`);
  }
  const bytes = new Uint8Array(file_bytes);
  for (let at = 0; at < bytes.length;) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) throw new SnapshotRefused("damaged", "it shrank while it was read");
    at += count;
  }
  try {
    const head = readHead(bytes, { ...expected, file_bytes });
    if (!await isWhole(bytes)) throw new SnapshotRefused("damaged", "its checksum is wrong");
    return { head, bytes };
  } catch (refused) {
    // A flipped bit in the version looks like another format: only the checksum, last in every format, can tell.
    const is_version = refused instanceof SnapshotRefused && refused.why === "version";
    if (is_version && !await isWhole(bytes)) throw new SnapshotRefused("damaged", "its checksum is wrong");
    throw refused;
  }
}

function readHeadOf(path: string, expected: { stream: string; tick: number }): SnapshotHead {
  using file = Deno.openSync(path, { read: true });
  const file_bytes = file.statSync().size;
  const prefix = new Uint8Array(prefix_bytes);
  const start_bytes = file.readSync(prefix) ?? 0;
  const head_bytes = readPrefix(prefix.subarray(0, start_bytes), file_bytes);
  const start = new Uint8Array(prefix_bytes + head_bytes);
  start.set(prefix);
  let at = prefix_bytes;
  while (at < start.length) {
    const count = file.readSync(start.subarray(at));
    if (count === null) break;
    at += count;
  }
  return readHead(start.subarray(0, at), { ...expected, file_bytes });
}

/** Every snapshot whose head can be read, by stream. Removes what a crash left half written. */
export function listFolder(root: string, log: Log): Map<string, SnapshotHead[]> {
  const found = new Map<string, SnapshotHead[]>();
  for (const { name: stream, isDirectory } of Deno.readDirSync(root)) {
    if (!isDirectory || !isStreamName(stream)) continue;
    const heads: SnapshotHead[] = [];
    const folder = `${root}/${stream}`;
    for (const { name } of [...Deno.readDirSync(folder)]) {
      if (name.endsWith(".tmp")) {
        Deno.removeSync(`${folder}/${name}`);
        log.info("unfinished snapshot removed", { stream, file: name });
      }
      const digits = file_name.exec(name)?.[1];
      if (!digits) continue;
      try {
        heads.push(readHeadOf(`${folder}/${name}`, { stream, tick: Number(digits) }));
      } catch (error) {
        log.warn("snapshot skipped", { stream, file: name, error });
        if (error instanceof SnapshotRefused && error.why === "damaged") putAside(folder, Number(digits));
      }
    }
    found.set(stream, heads);
  }
  return found;
}

/** Out of the way of every listing, but not lost. Keeps the newest few. */
export function putAside(folder: string, tick: number): void {
  const path = `${folder}/${tickName(tick)}`;
  Deno.renameSync(path, `${path}.bad`);
  const damaged = [...Deno.readDirSync(folder)].map((entry) => entry.name).filter((name) =>
    name.endsWith(".bad")
  );
  for (const name of damaged.sort().slice(0, -store_limits.damaged_kept_max)) {
    Deno.removeSync(`${folder}/${name}`);
  }
}
