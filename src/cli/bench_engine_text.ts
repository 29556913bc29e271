// What a measured engine is told as, for a person. Must not know how it was measured.
import { type Compared, isSpread, type Measured, type Pair, type Spread } from "../bench/engine_runs.ts";
import { sizeText } from "./size_text.ts";

export interface LlamaReport {
  /** The commit that llama-bench names. */
  build: string;
  pairs: Pair[];
  compared: Record<string, Compared>;
}

export interface EngineReport {
  shape: string;
  format: string;
  file_bytes: number;
  measured: Measured;
  llama: LlamaReport | undefined;
}

export function engineTable({ shape, format, file_bytes, measured, llama }: EngineReport): string {
  const number = (key: string) => Number(measured[key]);
  const lines: [string, string][] = [
    ["model", `RWKV-7 ${shape} ${format}, random weights, ${sizeText(file_bytes)} as a file`],
    ["machine", `${measured.cpu}, ${measured.target}, threads: ${measured.threads}, ${measured.date}`],
    ["load", `${(number("load_ms") / 1000).toFixed(2)} s`],
    [
      "memory",
      `${sizeText(number("resident_bytes"))} after load, ${
        sizeText(number("resident_load_peak_bytes"))
      } at most until then`,
    ],
    ["weights", sizeText(number("weight_bytes"))],
    ["state", `${sizeText(number("state_bytes"))} a stream, constant`],
  ];
  const speed = (name: string, key: string, from: Measured = measured) => {
    const value = from[key];
    if (isSpread(value)) lines.push([name, spreadText(value, "tokens/s")]);
  };
  const time = (name: string, key: string) => {
    const value = measured[key];
    if (isSpread(value)) lines.push([name, spreadText(value, "ms")]);
  };
  speed("prefill 64", "prefill_64");
  speed("prefill 512", "prefill_512");
  speed("decode", "decode");
  const batch = measured.batch as Measured | undefined;
  for (const streams of Object.keys(batch ?? {})) speed(`streams ${streams}`, streams, batch);
  speed("beside idle", "decode_beside_idle");
  speed("beside hogs", "decode_beside_hogs");
  if (typeof measured.hogs_fraction === "number") {
    lines.push([
      "",
      `${percent(measured.hogs_fraction)} of the quiet speed, ${measured.hogs} busy processes`,
    ]);
  }
  time("fork", "fork_ms");
  time("export", "export_ms");
  time("export f16", "export_half_ms");
  time("import", "import_ms");
  for (const [ticks, point] of Object.entries((measured.age ?? {}) as Measured)) {
    const { tick_ms, resident_bytes } = point as Measured;
    if (!isSpread(tick_ms)) continue;
    lines.push([
      `tick ${ticks}`,
      `${spreadText(tick_ms, "ms")}, ${sizeText(Number(resident_bytes))} in memory`,
    ]);
  }
  for (const when of ["before", "after"]) {
    const bandwidth = measured[`bandwidth_${when}`] as Measured | undefined;
    if (!bandwidth) continue;
    lines.push([
      when === "before" ? "bandwidth" : "",
      `${Number(bandwidth.gb_per_s).toFixed(1)} GB/s over the bytes of a token, ${
        Number(bandwidth["1_gib_gb_per_s"]).toFixed(1)
      } over 1 GiB (${when})`,
    ]);
  }
  if (typeof measured.floor_fraction === "number") {
    lines.push([
      "floor",
      `decode reads at ${percent(measured.floor_fraction)} of it, ${sizeText(number("token_bytes"))} a token`,
    ]);
  }
  return lines.map(([name, value]) => `${name.padEnd(12)} ${value}\n`).join("") + llamaTable(llama);
}

function llamaTable(llama: LlamaReport | undefined): string {
  if (!llama) return "";
  const rows = Object.entries(llama.compared).map(([name, { ours, theirs, ratio }]) =>
    `${name.padEnd(20)} ${plain(ours.median).padStart(9)} ${plain(theirs.median).padStart(9)} ${
      ratio.median.toFixed(2).padStart(7)
    } (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})\n`
  );
  const title = "tokens/s".padEnd(20);
  return `\nllama.cpp ${llama.build}, same file, ${llama.pairs.length} pairs of runs in turns
${title} ${"ours".padStart(9)} ${"llama.cpp".padStart(9)} ${"ratio".padStart(7)}
${rows.join("")}`;
}

function spreadText({ median, min, max, runs }: Spread, unit: string): string {
  return `${plain(median)} ${unit} (${plain(min)} to ${plain(max)}, ${runs} runs)`;
}

function plain(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toPrecision(3);
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(0)}%`;
}
