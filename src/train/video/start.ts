// A bundle as the beginning of stage 3: its words, its language model, its tower with the projector cut off, and the bundle that
// is made of it when it has learned to narrate. Must not know videos, batches or trainers.
import { type Bundle, readBundle } from "../../model/bundle.ts";
import { encodeFloats } from "../../model/import/float_encoding.ts";
import { inspect } from "../../model/import/inspect.ts";
import { openCheckpoint } from "../../model/import/open_checkpoint.ts";
import { writeSafetensors, type WrittenType } from "../../model/import/safetensors_writer.ts";
import { storedType } from "../../model/import/stored_weights.ts";
import { openLanguage } from "../../model/language.ts";
import { openVision } from "../../vision/vision.ts";
import { DataError } from "../llava/errors.ts";
import { checkSizes, readParameters } from "../llava/visual_model.ts";
import type { NamedTensor } from "../ports.ts";
import { cutBundle, openCutTower, sightOf, writeTaughtBundle } from "../taught_bundle.ts";
import { loadTensors } from "../tensor_files.ts";
import type { ClipWords } from "./clip.ts";
import type { VideoEyes } from "./tick_file.ts";

export interface VideoStart extends AsyncDisposable {
  bundle: Bundle;
  words: ClipWords;
  eyes: VideoEyes;
  /** False where the tower does not end in a projector that is known: what it hands over stays as it is. */
  projector: boolean;
  /** Those of the bundle, or of a run that went on from it. */
  parameters(load_model: string | undefined): Promise<Map<string, NamedTensor>>;
  save(to: string, parameters: ReadonlyMap<string, NamedTensor>, taught: TaughtStream): Promise<void>;
}

export interface TaughtStream {
  name: string;
  speak_threshold: number;
  /** Tokens of the longest line. */
  line_tokens: number;
}

/** Room for what is said a little differently than in the data. */
const spare_tokens = 8;
/** As a stage on the world leaves it. */
const repeat_s = 3;

export async function startFromStreamBundle(
  dir: string,
  { folder, threads, log }: { folder: string; threads: number; log: (line: string) => void },
): Promise<VideoStart> {
  const bundle = await readBundle(dir);
  const { manifest, weights_path } = bundle;
  const refuse = (reason: string): never => {
    throw new DataError("data_options", `Cannot train the bundle "${dir}" on videos: ${reason}`);
  };
  const { vision } = manifest;
  if (vision === null) return refuse("it has no vision tower");
  if (vision.compressor !== null || vision.tiling !== null) {
    return refuse(
      "its tower takes a picture in tiles, or shortens its vectors; frames of a stream are whole",
    );
  }
  const stored = await storedTypes(weights_path);
  const words = await wordsOf(bundle);
  const cut = await cutBundle(bundle).catch((error) => {
    if (error instanceof RangeError) return undefined;
    throw error;
  });
  const sight = sightOf(manifest);
  const opened = cut ? await openCutTower(bundle, cut, { folder, threads, log }) : {
    vision: await openVision({
      ...{ model_path: bundle.vision_path!, ...sight, threads, log },
      ...{ vectors_per_frame: vision.vectors_per_frame, vector_width: manifest.rwkv.width },
    }),
    hash: JSON.stringify([sight, manifest.sources.map(({ sha256 }) => sha256)]),
  };
  const { width_px, height_px, fit } = sight;
  return {
    bundle,
    words,
    projector: cut !== undefined,
    eyes: {
      frames: { width_px, height_px, fit, rate_hz: manifest.tick.rate_hz },
      vectors: vision.vectors_per_frame,
      width: cut?.feature_width ?? manifest.rwkv.width,
      hash: opened.hash,
      encode: (rgb, before) => opened.vision.encode(rgb, before),
    },
    async parameters(load_model) {
      await using checkpoint = await openCheckpoint([weights_path]);
      const { language } = inspect(checkpoint);
      checkSizes(language.sizes, {}, weights_path);
      const own = new Map([
        ...await readParameters({ ...inspect(checkpoint), vision: undefined }),
        ...cut?.tensors ?? [],
      ]);
      return load_model === undefined ? own : replace(own, await loadTensors(load_model), load_model);
    },
    async save(to, parameters, taught) {
      const projector = new Map([...parameters].filter(([name]) => name.startsWith("proj.")));
      await writeTaughtBundle(to, bundle, {
        changed: {
          [manifest.rwkv.file]: (path) => writeLanguage(path, parameters, stored),
          ...cut && { [vision.file]: (path: string) => Deno.writeFile(path, cut.rejoin(projector)) },
        },
        describe: (whole) => ({
          ...whole,
          name: taught.name,
          trained: true,
          policy: "stream",
          caption: {
            ...whole.caption,
            speak_threshold: taught.speak_threshold,
            // A model of single pictures repeats itself; one of ticks may rightly say the same again soon.
            repeat_s: manifest.policy === "stream" ? whole.caption.repeat_s : repeat_s,
            tokens_max: Math.max(whole.caption.tokens_max, Math.min(4096, taught.line_tokens + spare_tokens)),
          },
        }),
      });
    },
    [Symbol.asyncDispose]: () => opened.vision.close(),
  };
}

/** The service's own words, so that training feeds what serving feeds. */
async function wordsOf(bundle: Bundle): Promise<ClipWords> {
  const language = await openLanguage(bundle);
  const { stop } = bundle.manifest;
  const own = stop.tokens.find((token) => token !== language.silence_token);
  return {
    silence: language.silence_token,
    turn_end: own !== undefined ? [own] : language.encode(stop.text ?? "\n\n"),
    encode: (text) => language.encode(text),
    question: (text) => language.question(text),
    preamble: language.preamble,
    mark: (t_media_ms) => language.tickMark(t_media_ms),
  };
}

async function storedTypes(path: string): Promise<Map<string, WrittenType>> {
  await using checkpoint = await openCheckpoint([path]);
  return new Map([...checkpoint.tensors].map(([name, tensor]) => [name, storedType(tensor, "keep")]));
}

async function writeLanguage(
  path: string,
  parameters: ReadonlyMap<string, NamedTensor>,
  stored: ReadonlyMap<string, WrittenType>,
): Promise<void> {
  const entries = [...parameters].filter(([name]) => !name.startsWith("proj.")).map(
    ([name, { dims, data }]) => {
      const type = stored.get(name) ?? "f32";
      return {
        ...{ name, type, shape: dims },
        chunks: async function* () {
          yield encodeFloats(Float32Array.from(data), type);
        },
      };
    },
  );
  await writeSafetensors(path, entries);
}

/** Throws DataError when the file's tensors are not those of the bundle. */
function replace(
  own: Map<string, NamedTensor>,
  loaded: ReadonlyMap<string, NamedTensor>,
  file: string,
): Map<string, NamedTensor> {
  for (const [name, { dims }] of own) {
    const found = loaded.get(name);
    if (found?.data.length === own.get(name)!.data.length) own.set(name, { dims, data: found.data });
    else {
      const there = found ? `is [${found.dims}]` : "is missing";
      throw new DataError(
        "data_options",
        `Cannot begin with "${file}": ${name} ${there}, the bundle has [${dims}]`,
      );
    }
  }
  return own;
}
