// What `gander model import` says at the end: what was found, what it will take, what was chosen, what to type next.
// Must not know containers or how a bundle is written.
import { compressorOperations, prefillOperations, visionOperations } from "../model/import/estimates.ts";
import type { ImportReport, ImportRequest } from "../model/import/import_bundle.ts";
import { type Manifest, manifest_schema } from "../model/manifest.ts";
import { titles } from "../model/import/towers.ts";
import { imageText, maxTiles, maxVectors, tilesText, vectorsText } from "./picture_text.ts";
import { servedStates, servedText } from "./serve_memory.ts";
import { sizeText } from "./size_text.ts";

export type ImportSummary = ReturnType<typeof importSummary>;

/** As JSON is printed: plain values only. */
export function importSummary(report: ImportReport, { dir, vision_weights, licence }: ImportRequest) {
  const { findings, memory, vision } = report;
  const manifest = manifest_schema.parse(report.manifest);
  const { sizes, parameters } = findings.language;
  const seen = findings.vision;
  return {
    dir,
    name: manifest.name,
    version: seen?.choice.version.name ?? null,
    title: seen?.choice.version.title ?? `RWKV-${sizes.generation}`,
    assumed: seen?.choice.assumed ?? null,
    containers: report.containers,
    spelling: findings.spelling,
    language: { ...sizes, parameters, types: report.types },
    vision: seen === undefined || vision === undefined ? null : {
      towers: seen.towers.encoders.map(({ kind, width, layers, grid }) => ({ kind, width, layers, grid })),
      projector: seen.projector?.kind ?? "linear, random",
      inputs: vision.outline.inputs.map(({ name, width_px, height_px }) => ({ name, width_px, height_px })),
      vectors: maxVectors(manifest.vision!),
      vectors_text: vectorsText(manifest.vision!),
      tiles_text: tilesText(manifest.vision!),
      weights: vision_weights,
    },
    compressor_layers: findings.compressor?.sizes.layers ?? null,
    unused: findings.unused,
    tokenizer: report.tokenizer ?? null,
    memory,
    served: servedStates(manifest),
    operations: seen === undefined ? null : {
      vision: visionOperations(seen.towers.encoders, picturesOf(manifest.vision!)) +
        compressorOperations(
          findings.compressor?.parameters ?? 0,
          maxTiles(manifest.vision!) * (vision?.outline.vectors ?? 0),
        ),
      prefill: prefillOperations(sizes, parameters, maxVectors(manifest.vision!)),
    },
    image: manifest.image,
    policy: manifest.policy,
    licence: manifest.licence,
    licence_given: licence !== undefined,
    trained: manifest.trained,
    files: manifest.sources.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
  };
}

/** What goes through the tower for one picture: views or tiles, at most. */
function picturesOf(vision: NonNullable<Manifest["vision"]>): number {
  return vision.views === "whole_and_quarters" ? 5 : maxTiles(vision);
}

const wordless =
  "none found: only logits work. Put rwkv_vocab_v20230424.txt (it comes with every RWKV World model) " +
  "beside the file, or name it with --tokenizer FILE, and import again with --force";

/** The first few; --json has them all. */
function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 4).join(", ");
  return names.length > 4 ? `${shown}, … (--json lists all)` : shown;
}

export function summaryText(summary: ImportSummary): string {
  const { language, vision, memory, image, operations, unused } = summary;
  const ranks = Object.entries(language.ranks).map(([name, rank]) => `${name} ${rank}`).join(", ");
  const lines: [string, string][] = [
    ["found", `${summary.title} (${summary.containers.join(", ")}, ${spellings[summary.spelling]})`],
    [
      "model",
      `RWKV-${language.generation}, ${language.layers} layers, width ${language.width}, vocabulary ${language.vocab}, ` +
      `${(language.parameters / 1e6).toFixed(1)} million parameters${ranks ? `, ranks ${ranks}` : ""}`,
    ],
    ["weights", language.types.join(", ")],
  ];
  if (vision !== null) {
    const tiles = vision.tiles_text === "" ? "" : `, ${vision.tiles_text}`;
    const towers = vision.towers.map(({ kind, width, layers }) => `${titles[kind]} ${layers} x ${width}`);
    lines.push([
      "vision",
      `${
        towers.join(" + ")
      }, projector ${vision.projector}, ${vision.weights}${tiles}; ${vision.vectors_text}`,
    ]);
  }
  if (summary.compressor_layers !== null) {
    lines.push(["compressor", `${summary.compressor_layers} layers shorten a picture's vectors`]);
  }
  if (unused.length > 0) {
    lines.push(["unused", `${unused.length} tensors are known and never read: ${someOf(unused)}`]);
  }
  const { tokenizer } = summary;
  lines.push(["tokenizer", tokenizer === null ? wordless : `${tokenizer.place} (${tokenizer.origin})`]);
  const vision_memory = vision === null ? "" : `, about ${sizeText(memory.vision_bytes)} vision`;
  lines.push([
    "memory",
    `${sizeText(memory.weights_bytes)} weights${vision_memory}, ${sizeText(memory.state_bytes)} a state`,
  ]);
  if (summary.served !== null) {
    lines.push(["serve", servedText(summary.served, memory.weights_bytes + memory.vision_bytes)]);
  }
  if (operations !== null) {
    const giga = (count: number) => `${Number((count / 1e9).toPrecision(2))} GFLOP`;
    const most = vision?.tiles_text.startsWith("up to") ? "up to" : "about";
    lines.push([
      "a picture",
      `${most} ${giga(operations.vision)} to see, ${giga(operations.prefill)} to read`,
    ]);
  }
  if (image !== null) {
    lines.push(["prompt", imageText(image)]);
  }
  if (vision !== null) lines.push(["policy", summary.policy]);
  const doubt = summary.licence_given ? "" : " (nobody said; --licence does)";
  lines.push(["licence", summary.licence + doubt]);
  if (summary.assumed !== null) lines.push(["assumed", summary.assumed]);
  if (!summary.trained) {
    lines.push(["untrained", "the projector is random: the model sees nothing until it is trained"]);
  }
  const facts = lines.map(([name, value]) => `${name.padEnd(10)} ${value}\n`).join("");
  return `${facts}\nWrote "${summary.dir}" (${
    sizeText(summary.files.reduce((sum, { bytes }) => sum + bytes, 0))
  }). Next:\n${nextCommands(summary).map((line) => `  ${line}\n`).join("")}`;
}

const spellings: Record<ImportSummary["spelling"], string> = {
  official: "official names",
  visualrwkv: "names of VisualRWKV",
  fla: "names of flash-linear-attention",
  gguf: "names of llama.cpp",
};

function nextCommands({ dir, vision, tokenizer }: ImportSummary): string[] {
  const folder = /^[\w./-]+$/.test(dir) ? dir : JSON.stringify(dir);
  if (vision === null) {
    const ask = tokenizer === null ? [] : [`gander describe --bundle ${folder} --prompt "..."`];
    const logits = `gander model logits --bundle ${folder} --tokens 1,2,3`;
    return [`gander model info ${folder}`, ...ask, logits];
  }
  return [
    `gander model info ${folder}`,
    `gander describe PICTURE --bundle ${folder}`,
    `gander watch SOURCE --bundle ${folder}`,
  ];
}
