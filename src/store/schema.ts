// The tables, as steps from one schema version to the next. A step that was released is never edited: add another.
// Must not know who reads the tables.
import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "./errors.ts";

const steps: readonly string[] = [
  // 1. Times are milliseconds; REAL, because media clocks have fractions.
  `
  -- What must never be used twice outlives the rows it counts: those may be pruned and trimmed.
  CREATE TABLE streams (
    id TEXT PRIMARY KEY,
    last_seq INTEGER NOT NULL,
    last_tick INTEGER NOT NULL,
    trimmed_tick INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE captions (
    id INTEGER PRIMARY KEY,
    stream TEXT NOT NULL REFERENCES streams(id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    tick INTEGER NOT NULL,
    t_media_ms REAL NOT NULL,
    t_wall_ms REAL NOT NULL,
    text TEXT NOT NULL,
    p_speak REAL NOT NULL,
    caption_age_ms REAL NOT NULL,
    UNIQUE (stream, seq)
  ) STRICT;
  CREATE INDEX captions_by_time ON captions (stream, t_wall_ms);

  -- The index keeps no second copy of the text. Captions are never changed, so there is no update trigger.
  CREATE VIRTUAL TABLE captions_words USING fts5(
    text, content = 'captions', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
  );
  CREATE TRIGGER captions_added AFTER INSERT ON captions BEGIN
    INSERT INTO captions_words (rowid, text) VALUES (new.id, new.text);
  END;
  CREATE TRIGGER captions_removed AFTER DELETE ON captions BEGIN
    INSERT INTO captions_words (captions_words, rowid, text) VALUES ('delete', old.id, old.text);
  END;

  CREATE TABLE ticks (
    id INTEGER PRIMARY KEY,
    stream TEXT NOT NULL REFERENCES streams(id) ON DELETE CASCADE,
    tick INTEGER NOT NULL,
    t_media_ms REAL NOT NULL,
    t_wall_ms REAL NOT NULL,
    vectors BLOB NOT NULL,
    tokens BLOB NOT NULL,
    thumbnail BLOB NOT NULL,
    UNIQUE (stream, tick)
  ) STRICT;

  CREATE TABLE answers (
    id TEXT PRIMARY KEY,
    stream TEXT NOT NULL REFERENCES streams(id) ON DELETE CASCADE,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    tick INTEGER NOT NULL,
    t_media_ms REAL NOT NULL,
    t_wall_ms REAL NOT NULL,
    asked_at_ms REAL NOT NULL,
    status TEXT NOT NULL
  ) STRICT;
  CREATE INDEX answers_by_time ON answers (stream, asked_at_ms);

  CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  // 2. Policy "refresh" rebuilds its state: a tick has to say what was fed around its vectors.
  `
  ALTER TABLE ticks ADD COLUMN prompt BLOB NOT NULL DEFAULT x'';
  `,
];

export const schema_version = steps.length;

export function readSchemaVersion(db: DatabaseSync): number {
  return Number(db.prepare("PRAGMA user_version").get()!.user_version);
}

/** Each step is one transaction together with its number: a crash leaves the file at a version that exists. */
export function migrate(db: DatabaseSync): void {
  const found = readSchemaVersion(db);
  if (found > schema_version) {
    throw new StoreError(
      "store_failed",
      `Cannot open gander.db: it has schema version ${found} and this Gander knows versions up to ${schema_version}. ` +
        "Use the newer Gander that wrote it, or another data folder",
      "never",
    );
  }
  for (const [offset, step] of steps.slice(found).entries()) {
    db.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${found + offset + 1}; COMMIT;`);
  }
}
