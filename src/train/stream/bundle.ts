// Writes a trained stream model as a bundle: weights without the projector (that is part of the vision graph), words,
// manifest. Must not know how it was trained.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { manifest_file } from "../../model/bundle.ts";
import { encodeFloats } from "../../model/import/float_encoding.ts";
import { fillFolder } from "../../model/import/bundle_folder.ts";
import { writeSafetensors } from "../../model/import/safetensors_writer.ts";
import { type ManifestInput, readManifest } from "../../model/manifest.ts";
import { slots_per_frame } from "../../vision/slots.ts";
import { TrainError } from "../errors.ts";
import type { NamedTensor } from "../ports.ts";
import { rate_hz } from "./clip.ts";
import { question_template, worldVocabulary } from "./vocabulary.ts";

export interface StreamBundle {
  name: string;
  description: string;
  licence: string;
  /** Where the weights came from: data, steps, seed. */
  origin: string;
  limits_note: string;
  /** All of a language stage; "proj." is left out. */
  parameters: ReadonlyMap<string, NamedTensor>;
  /** The graph from frames to vectors, projector included. */
  vision: { bytes: Uint8Array; width_px: number; height_px: number };
  /** P(speak) from which it speaks. */
  speak_threshold: number;
}

/** An event is told once, and the same may rightly happen again soon. */
const repeat_s = 3;
/** Longer than any line or answer of the world. */
const caption_tokens_max = 24, answer_tokens_max = 40;
/** The words are few and learned by heart: the likeliest is the right one. */
const greedy = { temperature: 0, top_p: 1, presence_penalty: 0, count_penalty: 0 };

/**
 * Writes the bundle to `dir`, whole or not at all; `force` replaces one that is there. Matrices are float16, and vectors,
 * which are few and steer the decay, float32. Throws TrainError for tensors that are no such model, ImportError when
 * the disk refuses.
 */
export async function writeStreamBundle(dir: string, bundle: StreamBundle, force: boolean): Promise<void> {
  await fillFolder(dir, force, async (folder) => {
    const rwkv = await writeSafetensors(
      join(folder, "rwkv.safetensors"),
      [...bundle.parameters].filter(([name]) => !name.startsWith("proj.")).map(([name, { dims, data }]) => {
        const type = dims.filter((size) => size > 1).length >= 2 ? "f16" as const : "f32" as const;
        const chunks = async function* () {
          yield encodeFloats(Float32Array.from(data), type);
        };
        return { name, type, shape: dims, chunks };
      }),
      { origin: bundle.origin },
    );
    const tokenizer = new TextEncoder().encode(worldVocabulary().text);
    await Deno.writeFile(join(folder, "tokenizer.txt"), tokenizer);
    await Deno.writeFile(join(folder, "vision.onnx"), bundle.vision.bytes);
    const manifest = describe(bundle, [
      { path: "rwkv.safetensors", bytes: rwkv.bytes, sha256: rwkv.sha256, origin: bundle.origin },
      { path: "tokenizer.txt", ...digest(tokenizer), origin: "words of the synthetic world" },
      { path: "vision.onnx", ...digest(bundle.vision.bytes), origin: bundle.origin },
    ]);
    const checked = readManifest(manifest);
    if ("problems" in checked) {
      throw new TrainError("train_invalid", `Cannot write "${dir}": ${checked.problems.join("; ")}`);
    }
    await Deno.writeTextFile(join(folder, manifest_file), JSON.stringify(manifest, null, 2) + "\n");
  });
}

function describe(
  { name, description, licence, limits_note, parameters, vision, speak_threshold }: StreamBundle,
  sources: ManifestInput["sources"],
): ManifestInput {
  const { turn_end, silence } = worldVocabulary();
  const { layers, width, vocab } = shapeOf(parameters);
  return {
    format: "gander-bundle",
    format_version: 1,
    name,
    licence,
    description,
    trained: true,
    languages: ["en"],
    sources,
    rwkv: { file: "rwkv.safetensors", version: 7, layers, width, vocab },
    vision: {
      file: "vision.onnx",
      width_px: vision.width_px,
      height_px: vision.height_px,
      vectors_per_frame: slots_per_frame,
      views: "before_and_now",
    },
    tokenizer: { file: "tokenizer.txt" },
    tick: { rate_hz, mark: "none" },
    prompt: { preamble: "", question: question_template },
    stop: { tokens: [turn_end], text: "\n\n" },
    silence_token: silence,
    policy: "stream",
    caption: { tokens_max: caption_tokens_max, speak_threshold, repeat_s, sampler: greedy },
    answer: { tokens_max: answer_tokens_max, sampler: greedy },
    limits_note,
  };
}

/** Throws TrainError when these are not the tensors of a model with the world's vocabulary. */
function shapeOf(parameters: StreamBundle["parameters"]): { layers: number; width: number; vocab: number } {
  const [vocab, width] = parameters.get("emb.weight")?.dims ?? [];
  if (vocab !== worldVocabulary().size || width === undefined) {
    throw new TrainError(
      "train_invalid",
      `Cannot write a stream model: emb.weight has ${vocab ?? "no"} rows, the world's vocabulary needs ` +
        `${worldVocabulary().size}`,
    );
  }
  let layers = 0;
  while (parameters.has(`blocks.${layers}.ln1.weight`)) layers++;
  return { layers, width, vocab };
}

function digest(bytes: Uint8Array): { bytes: number; sha256: string } {
  return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}
