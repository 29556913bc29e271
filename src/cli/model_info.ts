// What `gander model info` says about a bundle. Must not know arguments or engines.
import type { Bundle } from "../model/bundle.ts";
import { openLanguage } from "../model/language.ts";
import { stateBytes } from "../model/rwkv_header.ts";

export type BundleDescription = Awaited<ReturnType<typeof describeBundle>>;

/** Everything a person asks before trusting a model. The bundle was read with verification. */
export async function describeBundle(bundle: Bundle) {
  const { manifest, dir } = bundle;
  const { tokenizer } = await openLanguage(bundle);
  const bytes = (path: string | undefined) =>
    manifest.sources.find((source) => source.path === path)?.bytes ?? 0;
  return {
    dir,
    name: manifest.name,
    trained: manifest.trained,
    description: manifest.description,
    licence: manifest.licence,
    languages: manifest.languages,
    policy: manifest.policy,
    rwkv: manifest.rwkv,
    vision: manifest.vision,
    tokenizer: { tokens: tokenizer.token_count, id_max: tokenizer.id_max },
    tick: manifest.tick,
    speak_threshold: manifest.caption.speak_threshold,
    state_bytes: stateBytes(manifest.rwkv),
    weight_file_bytes: bytes(manifest.rwkv.file),
    vision_file_bytes: bytes(manifest.vision?.file),
    limits_note: manifest.limits_note,
    files: manifest.sources.map((source) => ({ ...source, verified: true })),
  };
}

export function infoText(info: BundleDescription): string {
  const { rwkv, vision, tokenizer, tick } = info;
  const lines: [string, string][] = [
    ["name", info.trained ? info.name : `${info.name} (untrained: its words are random)`],
    ["folder", info.dir],
    ["about", info.description],
    ["licence", info.licence],
    ["languages", info.languages.join(", ")],
    ["model", `RWKV-${rwkv.version}, ${rwkv.layers} layers, width ${rwkv.width}, vocabulary ${rwkv.vocab}`],
    [
      "vision",
      vision === null
        ? "none: a text-only bundle"
        : `${vision.width_px} x ${vision.height_px} px, ${vision.vectors_per_frame} vectors per frame`,
    ],
    ["tokenizer", `${tokenizer.tokens} tokens, ids up to ${tokenizer.id_max}`],
    ["ticks", `${tick.rate_hz} per second, policy "${info.policy}", speaks from P ${info.speak_threshold}`],
    ["state", `${sizeText(info.state_bytes)} per stream, constant`],
    [
      "memory",
      `${sizeText(info.weight_file_bytes)} weights, ${sizeText(info.vision_file_bytes)} vision (as stored)`,
    ],
    ["limits", info.limits_note],
  ];
  const files = info.files.map((file) =>
    `  ${file.sha256}  ${file.path}  ${sizeText(file.bytes)}  ${file.origin}`
  );
  const facts = lines.filter(([, value]) => value !== "").map(([name, value]) =>
    `${name.padEnd(10)} ${value}`
  );
  return [...facts, "files      verified, SHA-256:", ...files].join("\n") + "\n";
}

function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const units = ["KiB", "MiB", "GiB"];
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]}`;
}
