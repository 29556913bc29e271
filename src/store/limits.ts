// Every bound of this room, in one place, with what happens when it is met. Numbers of formats stay with their format.

export const store_limits = {
  // ---- snapshots --------------------------------------------------------------------------------------------

  /** Waiting writes of one stream, each with a copy of its state. More: the disk is too slow, that one is left out. */
  writes_waiting_max: 8,
  /** A head is about 800 bytes; a thumbnail of 16 KiB still fits. A larger one is refused, in writing and in reading. */
  head_bytes_max: 64 * 1024,
  /** Several times the largest state known (RWKV-7 2.9B: 21 MB). A larger file is refused, in writing and in reading. */
  file_bytes_max: 256 * 1024 * 1024,
  /** Damaged files of one stream kept for a look at what happened; the oldest go. */
  damaged_kept_max: 3,

  // ---- pages ------------------------------------------------------------------------------------------------

  /** States out of the engine, each one page of its size. More: `disk_full`. */
  pages_max: 65_536,

  // ---- database ---------------------------------------------------------------------------------------------

  /** Checkpoint when the log reaches this many 4 KiB pages (4 MiB), and give the file's excess back afterwards. */
  wal_pages: 1_000,
  wal_bytes_after_checkpoint: 8 * 1024 * 1024,
  page_cache_kib: 8 * 1024,
  /** Somebody else only ever holds the file for a backup or a look with the sqlite3 shell. Then: `store_failed`. */
  busy_timeout_ms: 2_000,
  /** Rows removed in one transaction: about 10 ms, the word index included. The rest follows in the next. */
  rows_per_batch: 500,
  /** Shapes of a query are few; only the count of unspaced parts varies. More: all are prepared anew. */
  statements_max: 64,
  /** More words than this narrow nothing down; each costs one look into the index. The rest is not looked for. */
  search_words_max: 32,
  /** Enough to tell a person what kind of damage it is. */
  problems_told_max: 8,
  /** More than any process id has digits: what a stranger wrote into the lock file is not read whole. */
  lock_owner_bytes_max: 64,
} as const;
