// What the store's tests share: a data folder that goes away, records with bytes worth comparing, a log that listens.
import { system_clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { Caption, SnapshotHead, TickRecord } from "../../src/pipeline/ports.ts";
import { openStore, type SqliteStore, StoreError, type StoreOptions } from "../../src/store/mod.ts";

export interface HeardLog extends Log {
  events: string[];
}

export function listeningLog(): HeardLog {
  const events: string[] = [];
  const hear = (event: string) => void events.push(event);
  return { events, info: hear, warn: hear, error: hear };
}

export type OpenOptions = Partial<StoreOptions> & { data_dir: string };

/** `normal`, because most tests do not ask what a power loss does, and waiting for the disk takes their time. */
export function open(options: OpenOptions): SqliteStore {
  return openStore({ fsync: "normal", log: listeningLog(), clock: system_clock, ...options });
}

export async function inFolder(body: (data_dir: string) => void | Promise<void>): Promise<void> {
  const data_dir = await Deno.makeTempDir({ prefix: "gander-store-" });
  try {
    await body(data_dir);
  } finally {
    await Deno.remove(data_dir, { recursive: true });
  }
}

export async function inStore(
  body: (store: SqliteStore, data_dir: string) => void | Promise<void>,
): Promise<void> {
  await inFolder(async (data_dir) => {
    await using store = open({ data_dir });
    await body(store, data_dir);
  });
}

export function tickRecord(tick: number, change: Partial<TickRecord> = {}): TickRecord {
  return {
    tick,
    t_media_ms: tick * 500,
    t_wall_ms: 1_700_000_000_000 + tick * 500,
    vectors: Float32Array.from({ length: 8 }, (_, at) => Math.fround(Math.sin(tick * 8 + at))),
    tokens: Uint32Array.from({ length: tick % 3 }, (_, at) => tick * 100 + at),
    prompt: Uint32Array.from({ length: tick % 2 }, () => 0xffff_0000),
    thumbnail: new Uint8Array([tick & 255, 1, 2]),
    ...change,
  };
}

export function captionOf(stream: string, seq: number, record: TickRecord, text = `caption ${seq}`): Caption {
  const { tick, t_media_ms, t_wall_ms } = record;
  return { stream, seq, tick, t_media_ms, t_wall_ms, text, p_speak: 0.75, caption_age_ms: 120.5 };
}

/** Commits a tick that says `text`, at the next number. */
export function say(
  store: SqliteStore,
  stream: string,
  text: string,
  change: Partial<TickRecord> = {},
): Caption {
  const record = tickRecord(store.lastTick(stream) + 1, change);
  const caption = captionOf(stream, store.lastSeq(stream) + 1, record, text);
  store.commitTick(stream, record, caption);
  return caption;
}

export function snapshotHead(stream: string, tick: number, change: Partial<SnapshotHead> = {}): SnapshotHead {
  return {
    stream,
    tick,
    seq: tick,
    t_media_ms: tick * 500,
    t_wall_ms: 1_700_000_000_000 + tick * 500,
    model_hash: "5e".repeat(32),
    thumbnail: new Uint8Array([tick & 255, 7]),
    ...change,
  };
}

/** Bytes that differ by seed, so that one state is never taken for another. */
export function blobOf(bytes: number, seed: number): Uint8Array<ArrayBuffer> {
  const blob = new Uint8Array(bytes);
  let value = seed >>> 0;
  for (let at = 0; at < bytes; at++) {
    value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0;
    blob[at] = value >>> 24;
  }
  return blob;
}

/** The StoreError that `body` throws. */
export async function storeErrorOf(body: () => unknown): Promise<StoreError> {
  try {
    await body();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
