// After a restart: newest valid snapshot, then every recorded tick after it, fed again. The state that comes out is
// bit for bit the one that was lost, and no caption number is used twice.
import type { Log } from "../log.ts";
import { limits } from "./limits.ts";
import type { Memory } from "./memory.ts";
import type { StreamStore } from "./ports.ts";

export interface Resumed {
  /** "fresh": nothing was stored. "restored": memory is whole. "lost": something was stored but cannot be used. */
  how: "fresh" | "restored" | "lost";
  /** A sentence for the log and, when lost, for the person. */
  reason: string;
  /** Tick and times the memory stands at; 0 when fresh. */
  tick: number;
  t_media_ms: number;
  t_wall_ms: number;
  thumbnail: Uint8Array | undefined;
  replayed_count: number;
}

const fresh: Resumed = {
  how: "fresh",
  reason: "a new memory",
  tick: 0,
  t_media_ms: 0,
  t_wall_ms: 0,
  thumbnail: undefined,
  replayed_count: 0,
};

export async function resumeMemory(
  stream: string,
  memory: Memory,
  store: StreamStore,
  model_hash: string,
  log: Log,
): Promise<Resumed> {
  const heads = store.listSnapshots(stream);
  // Behind a snapshot of another model lie ticks that this model never saw.
  const foreign_at = heads.findIndex((head) => head.model_hash !== model_hash);
  const candidates = foreign_at < 0 ? heads : heads.slice(0, foreign_at);
  for (const [generation, candidate] of candidates.entries()) {
    const found = await store.readSnapshot(stream, candidate.tick);
    if (!found) continue;
    try {
      memory.importBlob(found.blob);
    } catch (error) {
      log.warn("snapshot refused", { stream, tick: candidate.tick, error });
      continue;
    }
    // The tick of the snapshot itself, too, where it is still there: a state does not hold the pictures it was made of.
    const journal = store.ticksAfter(stream, candidate.tick - 1);
    await memory.replay(journal, candidate.tick);
    const records = journal.filter(({ tick }) => tick > candidate.tick);
    const last = records.at(-1) ?? found.head;
    return {
      how: "restored",
      reason: generation < limits.snapshot_generations
        ? `memory restored from tick ${candidate.tick} and ${records.length} recorded ticks`
        : `newer snapshots are damaged: memory restored from tick ${candidate.tick}, some later ticks are forgotten`,
      tick: last.tick,
      t_media_ms: last.t_media_ms,
      t_wall_ms: last.t_wall_ms,
      thumbnail: last.thumbnail,
      replayed_count: records.length,
    };
  }
  await memory.begin();
  const newest = heads[0];
  const last = store.ticksAfter(stream, newest?.tick ?? 0).at(-1) ?? newest;
  if (!last) return fresh;
  return {
    ...fresh,
    how: "lost",
    reason: foreign_at === 0
      ? "the model was changed: a state belongs to its model, so a new memory begins"
      : "no stored snapshot is readable: a new memory begins",
    // The clock goes on: tick numbers and media times are never used twice.
    tick: last.tick,
    t_media_ms: last.t_media_ms,
    t_wall_ms: last.t_wall_ms,
  };
}
