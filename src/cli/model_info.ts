// What `gander model info` says about a bundle. Must not know arguments or engines.
import type { Bundle } from "../model/bundle.ts";
import { openLanguage } from "../model/language.ts";
import { stateBytes } from "../model/rwkv_header.ts";
import { imageText, tilesText, vectorsText } from "./picture_text.ts";
import { servedStates, servedText } from "./serve_memory.ts";
import { sizeText } from "./size_text.ts";

export type BundleDescription = Awaited<ReturnType<typeof describeBundle>>;

/** Everything a person asks before trusting a model. The bundle was read with verification. */
export async function describeBundle(bundle: Bundle) {
  const { manifest, dir } = bundle;
  const tokenizer = bundle.tokenizer_path === undefined ? undefined : (await openLanguage(bundle)).tokenizer;
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
    refresh: manifest.refresh,
    image: manifest.image,
    rwkv: manifest.rwkv,
    vision: manifest.vision,
    tokenizer: tokenizer ? { tokens: tokenizer.token_count, id_max: tokenizer.id_max } : null,
    tick: manifest.tick,
    speak_threshold: manifest.caption.speak_threshold,
    state_bytes: stateBytes(manifest.rwkv),
    served: servedStates(manifest),
    weight_file_bytes: bytes(manifest.rwkv.file),
    vision_file_bytes: visionBytes(manifest),
    compressor_file_bytes: bytes(manifest.vision?.compressor?.file),
    limits_note: manifest.limits_note,
    files: manifest.sources.map((source) => ({ ...source, verified: true })),
  };
}

/** The model file and the data beside it. */
function visionBytes({ vision, sources }: Bundle["manifest"]): number {
  if (vision === null) return 0;
  const own = sources.filter(({ path }) => path === vision.file || path === `${vision.file}.data`);
  return own.reduce((sum, { bytes }) => sum + bytes, 0);
}

export function infoText(info: BundleDescription): string {
  const { rwkv, vision, tokenizer, tick, image } = info;
  const stored_bytes = info.weight_file_bytes + info.vision_file_bytes + info.compressor_file_bytes;
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
        : `${vision.width_px} x ${vision.height_px} px frames, ${vectorsText(vision)}`,
    ],
    ["seen as", vision === null ? "" : sightText(vision)],
    [
      "compressor",
      vision?.compressor ? `${vision.compressor.layers} layers, ${sizeText(info.compressor_file_bytes)}` : "",
    ],
    ["prompt", image === null ? "" : imageText(image)],
    [
      "tokenizer",
      tokenizer ? `${tokenizer.tokens} tokens, ids up to ${tokenizer.id_max}` : "none: only logits work",
    ],
    ["ticks", `${tick.rate_hz} per second, ${policyText(info)}`],
    ["state", `${sizeText(info.state_bytes)}, constant`],
    [
      "memory",
      `${sizeText(info.weight_file_bytes)} weights, ${sizeText(info.vision_file_bytes)} vision (as stored)`,
    ],
    ["serve", servedText(info.served, stored_bytes)],
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

type Manifest = Bundle["manifest"];

/** Empty for a tower that takes frames as they come. */
function sightText({ inputs, fit, filter, views, tiling }: NonNullable<Manifest["vision"]>): string {
  if (inputs.length === 0 && tiling === null) return "";
  const sizes = inputs.map(({ name, width_px, height_px }) => `${name} ${width_px} x ${height_px}`).join(
    ", ",
  );
  const parts = [sizes, fit === "crop" ? "middle cut out" : "stretched", filter];
  if (views === "whole_and_quarters") parts.push("whole and four quarters");
  if (views === "before_and_now") parts.push("with the frame one tick before");
  parts.push(tilesText({ tiling }));
  return parts.filter((part) => part !== "").join(", ");
}

function policyText({ policy, refresh, speak_threshold }: BundleDescription): string {
  if (policy === "stream") return `policy "stream", speaks from P ${speak_threshold}`;
  return `policy "refresh": rebuilt every ${refresh.every_s} s, a caption every ${refresh.cadence_s} s at most`;
}
