// The parts of a tick, timed one by one on the built-in model: engine, fork, tower, commit, snapshot. Prints one JSON
// object a line, medians of several runs. For docs/measurements; no test, no bar: machines differ.
// Run: deno run -A tests/bench/parts.ts
import { openEngine } from "../../ffi/mod.ts";
import { system_clock } from "../../src/clock.ts";
import { builtinBundle, library_path } from "../../src/compose.ts";
import { silent_log } from "../../src/log.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { openStore } from "../../src/store/mod.ts";
import { openVision } from "../../src/vision/vision.ts";

type Job = () => unknown | Promise<unknown>;

/** Milliseconds of one call: median and 95th percentile of `count` after a tenth of warm-up. */
async function time(part: string, count: number, job: Job, per = 1): Promise<void> {
  for (let run = 0; run < count / 10; run++) await job();
  const times: number[] = [];
  for (let run = 0; run < count; run++) {
    const begun_ms = performance.now();
    await job();
    times.push((performance.now() - begun_ms) / per);
  }
  times.sort((a, b) => a - b);
  const at = (fraction: number) => Number(times[Math.floor(fraction * (count - 1))]!.toFixed(4));
  const line = JSON.stringify({ part, count, p50_ms: at(0.5), p95_ms: at(0.95) });
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function timeEngine(weights_path: string): Promise<number> {
  const engine = await openEngine({ library_path, device: "cpu", weights_path, states_max: 16, threads: 1 });
  const states = Array.from({ length: 8 }, () => engine.open());
  const [one] = states;
  const settle = async () => {
    while (states.some((state) => state.pending > 0)) await engine.run();
  };
  const tokens = Array.from({ length: 128 }, (_, index) => 1 + index % 200);
  const feed = async (to: typeof states) => {
    for (const state of to) state.putTokens(tokens);
    await settle();
  };
  const decode = async (to: typeof states) => {
    for (const state of to) state.putDecode({ tokens_max: 16, seed: 1n });
    await settle();
    for (const state of to) state.takeTokens();
  };
  await time("prefill, one state, per position", 30, () => feed([one!]), tokens.length);
  await time("prefill, eight states, per position and state", 10, () => feed(states), 8 * tokens.length);
  await time("decode, one state, per token", 30, () => decode([one!]), 16);
  await time("decode, eight states, per token and state", 10, () => decode(states), 8 * 16);
  await time("fork and close", 200, () => one!.fork().close());
  await time("export", 200, () => one!.exportBlob());
  const { blob_bytes } = engine.info;
  for (const state of states) state.close();
  await engine.close();
  return blob_bytes;
}

async function timeStore(fsync: "full" | "normal", blob_bytes: number): Promise<void> {
  const data_dir = Deno.makeTempDirSync({ prefix: "gander-bench-" });
  const store = openStore({ data_dir, fsync, log: silent_log, clock: system_clock });
  store.saveStream({ id: "bench", spec: {}, paused: false, created_ms: 0 });
  const thumbnail = new Uint8Array(256);
  let tick = 0;
  const record = () => ({
    ...{ tick: ++tick, t_media_ms: tick * 500, t_wall_ms: tick * 500 },
    ...{ vectors: new Float32Array(4 * 192), tokens: Uint32Array.of(1, 2, 3) },
    ...{ prompt: new Uint32Array(), thumbnail },
  });
  await time(`commit of a tick, fsync ${fsync}`, 300, () => store.commitTick("bench", record(), undefined));
  const blob = new Uint8Array(blob_bytes);
  const head = () => ({
    ...{ stream: "bench", tick: ++tick, seq: 0, t_media_ms: tick * 500, t_wall_ms: tick * 500 },
    ...{ model_hash: "0".repeat(64), thumbnail },
  });
  await time(`snapshot of ${blob_bytes} bytes, fsync ${fsync}`, 60, () => store.writeSnapshot(head(), blob));
  await store.close();
  Deno.removeSync(data_dir, { recursive: true });
}

const { manifest, weights_path, vision_path } = await readBundle(await builtinBundle("seed"));
const blob_bytes = await timeEngine(weights_path);
const tower = { ...manifest.vision!, vector_width: manifest.rwkv.width };
const vision = await openVision({ model_path: vision_path!, ...tower, threads: 1, log: () => {} });
const rgb = new Uint8Array(vision.width_px * vision.height_px * 3);
await time("tower, one frame, worker included", 100, () => vision.encode(rgb));
await time("tower, four frames at once, per frame", 50, () => {
  return Promise.all([1, 2, 3, 4].map(() => vision.encode(rgb)));
}, 4);
await vision.close();
await timeStore("full", blob_bytes);
await timeStore("normal", blob_bytes);
Deno.exit(0);
