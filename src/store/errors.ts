// StoreError, and how failures of SQLite and of the file system become one. Must not know streams, ticks or tables.
import { GanderError, type Retry } from "../errors.ts";

export type StoreCode = "disk_full" | "store_failed" | "store_damaged";

const default_retry: Record<StoreCode, Retry> = {
  disk_full: "backoff",
  store_failed: "backoff",
  store_damaged: "never",
};

/** Something could not be kept or read back. Nothing is half done: the same call may be tried again. */
export class StoreError extends GanderError {
  override readonly name = "StoreError";
  constructor(override readonly code: StoreCode, message: string, retry?: Retry, options?: ErrorOptions) {
    super(code, message, retry ?? default_retry[code], options);
  }
}

// SQLite result codes: the low byte is the cause, the rest says where. https://www.sqlite.org/rescode.html
const sqlite_io = 10;
const sqlite_corrupt = 11;
const sqlite_full = 13;
const sqlite_constraint = 19;
const sqlite_not_a_database = 26;
/** Growing the shared index of the write-ahead log failed; SQLite reports a full disk this way there. */
const sqlite_io_index_size = 10 | (19 << 8);

/** The runtime's `exec` throws SQLite's sentence without its code; these sentences are fixed. */
const sqlite_sentences: Readonly<Record<string, number>> = {
  "disk I/O error": sqlite_io,
  "database disk image is malformed": sqlite_corrupt,
  "database or disk is full": sqlite_full,
  "file is not a database": sqlite_not_a_database,
};

/** SQLite's extended result code, when the failure came from SQLite. */
function sqliteCode(cause: unknown): number | undefined {
  if (!(cause instanceof Error)) return undefined;
  const code = (cause as { errcode?: unknown }).errcode;
  return typeof code === "number" ? code : sqlite_sentences[cause.message];
}

/** SQLite reports a quota (EDQUOT) as a plain I/O error: only a trial write can tell the two apart. */
export function isUnclearIo(cause: unknown): boolean {
  const code = sqliteCode(cause);
  return code !== undefined && (code & 0xff) === sqlite_io;
}

export function isNoSpace(cause: unknown): boolean {
  const code = sqliteCode(cause);
  if (code !== undefined) return (code & 0xff) === sqlite_full || code === sqlite_io_index_size;
  if (!(cause instanceof Error)) return false;
  const name = (cause as { code?: unknown }).code;
  // 28 ENOSPC, 122 EDQUOT (Linux), 69 EDQUOT (macOS): not every runtime error carries the name.
  return name === "ENOSPC" || name === "EDQUOT" || /\(os error (28|122|69)\)/.test(cause.message);
}

/** True when the medium itself could not read the bytes. */
export function isUnreadable(cause: unknown): boolean {
  return cause instanceof Error &&
    ((cause as { code?: unknown }).code === "EIO" || /\(os error 5\)/.test(cause.message));
}

/** `action` completes "Cannot …", e.g. `commit tick 7 of stream "cam1"`. */
export function storeError(action: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  if (isNoSpace(cause)) {
    return new StoreError("disk_full", `Cannot ${action}: the disk is full`, undefined, { cause });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  const primary = (sqliteCode(cause) ?? 0) & 0xff;
  const damaged = primary === sqlite_corrupt || primary === sqlite_not_a_database;
  // A broken constraint or a wrong type is a bug here or in the caller: the same call fails for ever.
  const bug = primary === sqlite_constraint || cause instanceof TypeError;
  return new StoreError(
    damaged ? "store_damaged" : "store_failed",
    `Cannot ${action}: ${reason}`,
    bug ? "never" : undefined,
    { cause },
  );
}
