// Restart law on the real service: kill -9 at any moment, resume, and the captions and the state are those of a run
// that was never interrupted.
import { expect } from "@std/expect";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { system_clock } from "../../src/clock.ts";
import { silent_log } from "../../src/log.ts";
import { openStore } from "../../src/store/mod.ts";
import { sampleClip } from "./clip.ts";
import { descendants, isAlive, startGander, until } from "./gander_process.ts";

let clip: string;
const stream = "watch";
const kills_max = 6;

function watch(data_dir: string) {
  return startGander([
    ...[
      "watch",
      clip,
      "--pace",
      "lossless",
      "--bundle",
      "builtin-tiny",
      "--data",
      data_dir,
      "--jsonl",
      "/dev/null",
    ],
    ...["--no-change-gate", "--rate", "10"],
  ]);
}

/** What a run left on disk: captions without their wall times, and the state at the last tick. */
async function remains(data_dir: string) {
  const store = openStore({ data_dir, fsync: "normal", log: silent_log, clock: system_clock });
  const captions = store.captions(stream, { limit: 10_000 }).map((
    { seq, tick, t_media_ms, text, p_speak },
  ) => ({ seq, tick, t_media_ms, text, p_speak }));
  const newest = store.listSnapshots(stream)[0]!;
  const snapshot = await store.readSnapshot(stream, newest.tick);
  await store.close();
  return { captions, tick: newest.tick, seq: newest.seq, state: snapshot!.blob };
}

describe("restart law", () => {
  beforeAll(async () => {
    // Ten minutes and more of film, so that there is time to be killed in: the clip, copied end to end.
    clip = `${Deno.makeTempDirSync()}/long.mp4`;
    const args = ["-v", "error", "-stream_loop", "19", "-i", await sampleClip(), "-c", "copy", clip];
    expect((await new Deno.Command("ffmpeg", { args }).output()).code).toBe(0);
  });

  it("kill -9 at any moment changes nothing that is remembered or said", async () => {
    const [calm, killed] = [Deno.makeTempDirSync(), Deno.makeTempDirSync()];
    expect((await watch(calm).ended).code).toBe(0);
    const expected = await remains(calm);
    expect(expected.captions.length).toBeGreaterThan(5);

    let kills = 0;
    for (let done = false; !done;) {
      const run = watch(killed);
      // The first life is long enough to say something; later ones end anywhere, start-up included.
      const life_ms = kills === 0 ? 2_500 : 300 + Math.random() * 2_200;
      const life = new AbortController();
      const ended = await Promise.race([
        run.ended,
        system_clock.sleep(kills < kills_max ? life_ms : 120_000, life.signal).then(() => undefined),
      ]);
      life.abort();
      if (ended) {
        expect(ended.code).toBe(0);
        done = true;
      } else {
        const family = descendants(run.pid);
        run.kill("SIGKILL");
        await run.ended;
        kills++;
        await until(() => !family.some(isAlive), "no process outlives the service", 5_000);
      }
    }
    expect(kills).toBe(kills_max);

    const found = await remains(killed);
    expect(found.captions.map(({ seq }) => seq)).toEqual(found.captions.map((_, index) => index + 1));
    expect(found.captions).toEqual(expected.captions);
    expect([found.tick, found.seq]).toEqual([expected.tick, expected.seq]);
    expect(found.state).toEqual(expected.state);
    for (const folder of [calm, killed]) Deno.removeSync(folder, { recursive: true });
  });
});
