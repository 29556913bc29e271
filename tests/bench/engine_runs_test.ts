// The figures of the measuring programs, on outputs kept as they print them.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import {
  comparePairs,
  type Pair,
  readLlamaBatched,
  readLlamaBench,
  readMeasured,
  speedsOf,
  spreadOf,
} from "../../src/bench/engine_runs.ts";
import { engineTable } from "../../src/cli/bench_engine_text.ts";

const spread = (median: number) => ({ median, min: median / 2, max: median * 2, runs: 5 });
const ours = JSON.stringify({
  ...{ cpu: "A CPU", date: "2026-11-24T00:00:00Z", target: "vnni", threads: 1, load_ms: 1500 },
  ...{ weight_bytes: 2e8, state_bytes: 2e6, token_bytes: 1.5e8, resident_bytes: 3e8 },
  ...{ resident_load_peak_bytes: 4e8, prefill_512: spread(900), decode: spread(100) },
  ...{ batch: { 8: spread(400), 32: spread(800) }, fork_ms: spread(0.25), floor_fraction: 0.914 },
  ...{ hogs: 2, decode_beside_hogs: spread(60), hogs_fraction: 0.6 },
  bandwidth_before: { bytes: 1.5e8, gb_per_s: 14.25, "1_gib_gb_per_s": 13.5 },
});
const llama_bench = JSON.stringify([
  { build_commit: "abc123", n_prompt: 512, n_gen: 0, avg_ts: 310, samples_ts: [290, 300, 340] },
  { build_commit: "abc123", n_prompt: 0, n_gen: 64, avg_ts: 45, samples_ts: [40, 50] },
]);
const llama_batched = `main: n_kv_max = 4096
{"n_kv_max": 4096, "pp": 16, "tg": 32, "pl": 8, "speed_pp": 300.5, "speed_tg": 160.25, "t": 2.1}
{"n_kv_max": 4096, "pp": 16, "tg": 32, "pl": 32, "speed_pp": 310.5, "speed_tg": 200, "t": 2.1}

llama_perf_context_print: total`;

describe("engine runs", () => {
  it("of rwkv_bench are named by part and number of streams", () => {
    expect(speedsOf(readMeasured(ours))).toEqual({
      ...{ prefill_512: 900, decode: 100, batch_8: 400, batch_32: 800, decode_beside_hogs: 60 },
    });
  });

  it("of llama.cpp get the same names", () => {
    expect(readLlamaBench(llama_bench)).toEqual({
      speeds: { prefill_512: 300, decode: 45 },
      build: "abc123",
    });
    expect(readLlamaBatched(llama_batched)).toEqual({ batch_8: 160.25, batch_32: 200 });
  });

  it("are refused when they are something else", () => {
    expect(() => readMeasured('{"target":"vnni"}')).toThrow("something else");
    expect(() => readLlamaBench("[]")).toThrow("no tests");
    expect(() => readLlamaBench('[{"n_prompt":512,"n_gen":0}]')).toThrow("samples_ts");
    expect(() => readLlamaBatched("main: failed")).toThrow("no lines");
    expect(() => readLlamaBatched('{"pl":8}')).toThrow("speed_tg");
  });

  it("are compared pair by pair: a slow minute for both changes no ratio", () => {
    const pairs: Pair[] = [
      { ours: { decode: 100, batch_8: 300 }, theirs: { decode: 50 } },
      { ours: { decode: 10, batch_8: 300 }, theirs: { decode: 5, batch_8: 100 } },
      { ours: { decode: 120, batch_8: 300 }, theirs: { decode: 40, batch_8: 100 } },
    ];
    const compared = comparePairs(pairs), decode = compared.decode!;
    expect(decode.ratio).toEqual({ median: 2, min: 2, max: 3, runs: 3 });
    expect(decode.ours.median).toBe(100);
    expect(decode.theirs).toEqual({ median: 40, min: 5, max: 50, runs: 3 });
    expect(Object.keys(compared)).toEqual(["decode"]); // A figure that one pair lacks is no comparison.
    expect(comparePairs([])).toEqual({});
  });

  it("have the middle of an even count between its two", () => {
    expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4, runs: 4 });
  });

  it("are told as a table that has every figure", () => {
    const measured = readMeasured(ours);
    const pairs = [{
      ours: speedsOf(measured),
      theirs: { ...readLlamaBench(llama_bench).speeds, ...readLlamaBatched(llama_batched) },
    }];
    const llama = { build: "abc123", pairs, compared: comparePairs(pairs) };
    const table = engineTable({ shape: "0.4b", format: "q8", file_bytes: 4.3e8, measured, llama });
    for (
      const line of [
        /^machine +A CPU, vnni, threads: 1,/m,
        /^decode +100 tokens\/s \(50\.00 to 200, 5 runs\)$/m,
        /^streams 8 +400 tokens\/s/m,
        /^ +60% of the quiet speed, 2 busy processes$/m,
        /^fork +0\.250 ms/m,
        /^floor +decode reads at 91% of it/m,
        /^decode +100 +45\.00 +2\.22 \(2\.22 to 2\.22\)$/m,
        /^batch_32 +800 +200 +4\.00 /m,
      ]
    ) expect(table).toMatch(line);
    expect(table).not.toContain("NaN");
  });
});
