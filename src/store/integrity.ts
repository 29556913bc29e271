// Looks for damage in gander.db after a run that did not end well, and mends what can be mended: the word index, which
// is made of the captions. Must not know why the last run ended.
import type { DatabaseSync } from "node:sqlite";
import type { Log } from "../log.ts";
import { StoreError, storeError } from "./errors.ts";
import { store_limits } from "./limits.ts";

/** Reads the whole file. Throws StoreError store_damaged when something is lost. */
export function verifyDatabase(db: DatabaseSync, log: Log): void {
  const rows = db.prepare(`PRAGMA integrity_check(${store_limits.problems_told_max})`).all();
  const problems = rows.map((row) => String(Object.values(row)[0]));
  const of_the_index = problems.every((problem) => /fts5/i.test(problem));
  if (problems[0] !== "ok" && !of_the_index) {
    throw new StoreError(
      "store_damaged",
      `Cannot use gander.db: the file is damaged (${problems.join("; ")}). ` +
        "Put a backup in its place, or move it away to start with an empty log",
    );
  }
  if (problems[0] === "ok" && isIndexTrue(db)) return;
  log.warn("search index rebuilt", { problems });
  db.exec("INSERT INTO captions_words (captions_words) VALUES ('rebuild')");
}

/** Compares the index with the captions, which SQLite's own check does not do. */
function isIndexTrue(db: DatabaseSync): boolean {
  try {
    db.exec("INSERT INTO captions_words (captions_words, rank) VALUES ('integrity-check', 1)");
    return true;
  } catch (cause) {
    if (storeError("verify the search index", cause).code === "store_damaged") return false;
    throw cause;
  }
}
