// What the measuring programs print, as numbers: rwkv_bench, and llama-bench and llama-batched-bench beside it on the same
// file. Every figure is tokens per second under one name in both. Must not know processes, files or words for people.

/** Tokens per second: prefill_64, prefill_512, decode, batch_8, decode_beside_hogs. */
export type Speeds = Record<string, number>;

export interface Spread {
  median: number;
  min: number;
  max: number;
  runs: number;
}

/** What rwkv_bench prints: numbers, names, spreads, and objects of these. */
export type Measured = { [key: string]: number | string | null | Spread | Measured };

export function readMeasured(text: string): Measured {
  const value: unknown = JSON.parse(text);
  if (!isObject(value) || typeof value.target !== "string" || typeof value.load_ms !== "number") {
    throw new Error("rwkv_bench printed something else than a measurement");
  }
  return value as Measured;
}

export function isSpread(value: unknown): value is Spread {
  return isObject(value) && typeof value.median === "number" && typeof value.runs === "number";
}

/** The medians of one measurement. */
export function speedsOf(measured: Measured): Speeds {
  const speeds: Speeds = {};
  for (const name of ["prefill_64", "prefill_512", "decode", "decode_beside_hogs"]) {
    const value = measured[name];
    if (isSpread(value)) speeds[name] = value.median;
  }
  const batch = measured.batch;
  if (isObject(batch)) {
    for (const [streams, value] of Object.entries(batch)) {
      if (isSpread(value)) speeds[`batch_${streams}`] = value.median;
    }
  }
  return speeds;
}

/** `llama-bench -o json`: a list with one object a test, the speed of each repetition in samples_ts. */
export function readLlamaBench(text: string): { speeds: Speeds; build: string } {
  const tests: unknown = JSON.parse(text);
  if (!Array.isArray(tests) || tests.length === 0) throw new Error("llama-bench printed no tests");
  const speeds: Speeds = {};
  for (const test of tests) {
    const { n_prompt, n_gen, samples_ts } = test as Record<string, unknown>;
    if (!isNumbers(samples_ts) || samples_ts.length === 0) {
      throw new Error("llama-bench printed a test without samples_ts");
    }
    speeds[n_gen === 0 ? `prefill_${n_prompt}` : "decode"] = median(samples_ts);
  }
  return { speeds, build: String((tests[0] as Record<string, unknown>).build_commit ?? "unknown") };
}

/** `llama-batched-bench --output-format jsonl`: one object a line, pl sequences, speed_tg of all together. */
export function readLlamaBatched(text: string): Speeds {
  const speeds: Speeds = {};
  for (const line of text.split("\n").filter((line) => line.startsWith("{"))) {
    const { pl, speed_tg } = JSON.parse(line) as Record<string, unknown>;
    if (typeof pl !== "number" || typeof speed_tg !== "number") {
      throw new Error("llama-batched-bench printed a line without pl and speed_tg");
    }
    speeds[`batch_${pl}`] = speed_tg;
  }
  if (Object.keys(speeds).length === 0) throw new Error("llama-batched-bench printed no lines");
  return speeds;
}

export interface Pair {
  ours: Speeds;
  theirs: Speeds;
}

export interface Compared {
  ours: Spread;
  theirs: Spread;
  /** Of the pairs' own ratios, not of the medians: what slows the machine for a minute slows both of a pair. */
  ratio: Spread;
}

/** Of every speed that all pairs have on both sides. */
export function comparePairs(pairs: readonly Pair[]): Record<string, Compared> {
  const compared: Record<string, Compared> = {};
  for (const name of Object.keys(pairs[0]?.ours ?? {})) {
    const ours = pairs.map((pair) => pair.ours[name]), theirs = pairs.map((pair) => pair.theirs[name]);
    if (!isNumbers(ours) || !isNumbers(theirs)) continue;
    compared[name] = {
      ours: spreadOf(ours),
      theirs: spreadOf(theirs),
      ratio: spreadOf(ours.map((speed, index) => speed / theirs[index]!)),
    };
  }
  return compared;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), runs: values.length };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((one) => typeof one === "number" && Number.isFinite(one));
}
