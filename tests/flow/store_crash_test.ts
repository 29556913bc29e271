// kill -9 at any moment: what was acknowledged is there, numbers have no gap and no twin, and the newest snapshot with
// the journal behind it leads to the newest tick. That is the whole of what a resume needs.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { blobOf, inFolder, open, tickRecord } from "./store_fixture.ts";
import type { SqliteStore } from "../../src/store/mod.ts";

const kills = 20;
const child_path = `${import.meta.dirname}/store_crash_child.ts`;

interface Acknowledged {
  tick: number;
  seq: number;
  snapshot: number;
}

/** Runs the child, kills it after `life_ms` of work, and returns what it had acknowledged. */
async function liveAndDie(data_dir: string, mode: string, life_ms: number): Promise<Acknowledged> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", child_path, data_dir, mode],
    stdout: "piped",
  }).spawn();
  let said = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += chunk;
    timer ??= setTimeout(() => child.kill("SIGKILL"), life_ms);
  }
  clearTimeout(timer);
  expect((await child.status).signal).toBe("SIGKILL");
  // The last line may be cut off.
  const lines = said.split("\n").slice(0, -1).map((line) => line.split(" "));
  const last = (kind: string) => lines.findLast((line) => line[0] === kind) ?? [];
  return {
    tick: Number(last("t")[1] ?? 0),
    seq: Number(last("t")[2] ?? 0),
    snapshot: Math.max(0, ...lines.filter((line) => line[0] === "s").map((line) => Number(line[1]))),
  };
}

async function checkWhole(store: SqliteStore, told: Acknowledged): Promise<void> {
  const last_tick = store.lastTick("cam");
  expect(last_tick).toBeGreaterThanOrEqual(told.tick);
  expect(store.lastSeq("cam")).toBeGreaterThanOrEqual(told.seq);

  const captions = store.captions("cam", { limit: 1_000_000 });
  expect(captions.map((caption) => caption.seq)).toEqual(captions.map((_, at) => at + 1));
  expect(captions.map((caption) => caption.tick)).toEqual(captions.map((_, at) => 3 * (at + 1)));
  expect(captions.length).toBe(store.lastSeq("cam"));
  expect(captions.length).toBe(Math.floor(last_tick / 3));

  const [newest] = store.listSnapshots("cam");
  expect(newest?.tick ?? 0).toBeGreaterThanOrEqual(told.snapshot);
  expect(newest?.tick ?? 0).toBeLessThanOrEqual(last_tick);
  for (const head of store.listSnapshots("cam").slice(0, 2)) {
    const found = await store.readSnapshot("cam", head.tick);
    expect(found?.blob).toEqual(blobOf(60_000, head.tick));
    expect(found?.head.seq).toBe(Math.floor(head.tick / 3));
    // Both generations: the journal reaches from each of them to the end.
    expect(store.trimmedTick("cam")).toBeLessThanOrEqual(head.tick);
    const ticks = store.ticksAfter("cam", head.tick);
    expect(ticks).toEqual(ticks.map((_, at) => tickRecord(head.tick + 1 + at)));
    expect(head.tick + ticks.length).toBe(last_tick);
  }
}

/** Files that are no snapshots. The folder is missing when the first life was too short for one. */
function leftovers(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map((entry) => entry.name).filter((name) => !name.endsWith(".gsn"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

describe("kill -9", () => {
  it(`${kills} times at random moments loses nothing that was acknowledged`, () =>
    inFolder(async (data_dir) => {
      let before: Acknowledged = { tick: 0, seq: 0, snapshot: 0 };
      for (let round = 0; round < kills; round++) {
        // Longer and longer, so that a busy machine too gets to the snapshots.
        const life_ms = Math.random() * (100 + 15 * round);
        const told = await liveAndDie(data_dir, round % 2 ? "full" : "normal", life_ms);
        before = {
          tick: Math.max(before.tick, told.tick),
          seq: Math.max(before.seq, told.seq),
          snapshot: Math.max(before.snapshot, told.snapshot),
        };
        await using store = open({ data_dir });
        await checkWhole(store, before).catch((cause) => {
          throw new Error(`round ${round}, killed after ${life_ms.toFixed(1)} ms`, { cause });
        });
        expect(leftovers(`${data_dir}/snapshots/cam`)).toEqual([]);
      }
      expect(before.tick).toBeGreaterThan(kills);
      expect(before.snapshot).toBeGreaterThan(0);
    }));
});
