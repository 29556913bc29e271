// What a measured model is told as: one JSON object, or lines for a person. Must not know how it was measured.
import type { ModelCost, Timing } from "../bench/measure_model.ts";
import { sizeText } from "./size_text.ts";

export interface MeasuredModel {
  bundle: string;
  /** Key of the released shape that the random weights have. */
  released: string | undefined;
  threads: number;
  rwkv_version: number;
  width: number;
  layers: number;
  cost: ModelCost;
  engine_load_ms: number;
  vision_load_ms: number;
  weight_bytes: number;
  state_bytes: number;
  /** Of the whole process at the end. */
  rss_bytes: number;
}

export function costLine({ cost, ...rest }: MeasuredModel) {
  return { ...rest, ...cost };
}

export function costTable(measured: MeasuredModel): string {
  const { cost, threads } = measured;
  const { picture, prompt, decode, fork } = cost;
  const lines: [string, string][] = [
    [
      "model",
      `${measured.bundle}: RWKV-${measured.rwkv_version}, ${measured.layers} layers, width ${measured.width}`,
    ],
    ["threads", String(threads)],
    ["load", `${seconds(measured.engine_load_ms)} weights, ${seconds(measured.vision_load_ms)} vision`],
  ];
  if (picture) {
    lines.push(["vision", `${timeText(picture.vision)} a picture, ${picture.vectors} vectors`]);
    lines.push([
      "prefill",
      `${timeText(picture.prefill)} a picture, ${picture.prefill_per_s.toFixed(1)} vectors/s`,
    ]);
  }
  lines.push(
    [
      "prompt",
      `${timeText(prompt.prefill)} for ${prompt.positions} tokens, ${
        prompt.prefill_per_s.toFixed(1)
      } tokens/s`,
    ],
    [
      "decode",
      `${timeText(decode.decode)} for ${decode.tokens} tokens, ${decode.decode_per_s.toFixed(2)} tokens/s`,
    ],
    ["fork", timeText(fork)],
    ["weights", `${sizeText(measured.weight_bytes)} in the engine`],
    ["state", `${sizeText(measured.state_bytes)} a stream, constant`],
    ["memory", `${sizeText(measured.rss_bytes)} of the process at the end`],
  );
  return lines.map(([name, value]) => `${name.padEnd(8)} ${value}\n`).join("");
}

function timeText({ p50_ms, min_ms, max_ms, runs }: Timing): string {
  return `${seconds(p50_ms)} (${seconds(min_ms)} to ${seconds(max_ms)}, ${runs} runs)`;
}

function seconds(time_ms: number): string {
  return time_ms < 1000 ? `${time_ms.toFixed(1)} ms` : `${(time_ms / 1000).toFixed(2)} s`;
}
