// Public names of the store.
export type { Fsync } from "./database.ts";
export { type StoreCode, StoreError } from "./errors.ts";
export { PageFile } from "./page_file.ts";
export type { PruneRequest, PruneResult } from "./retention.ts";
export type { Settings, StoredStream } from "./settings.ts";
export { openStore, SqliteStore, type StoreOptions } from "./sqlite_store.ts";
