// The toy LLaVA set as a person would have it on disk: a vocabulary, a miniature language model, a miniature tower, and
// options over them. Must not know stages.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeSafetensors } from "../../src/model/safetensors.ts";
import { Tokenizer } from "../../src/model/tokenizer.ts";
import { initialRwkv } from "../../src/train/init.ts";
import { byteVocabulary } from "../model/byte_vocabulary.ts";
import { hfShapes, randomCheckpoint } from "../model/tower_checkpoints.ts";

export const toy_data = fileURLToPath(new URL("data/toy.jsonl", import.meta.url));
export const toy_images = fileURLToPath(new URL("data/toy", import.meta.url));

/** Features of one patch: the width of the miniature SigLIP. 32 x 32 pixels, 4 x 4 patches. */
export const toy_features = 32;
const tower_sizes = { width: toy_features, layers: 2, hidden: 64, patch_px: 8, grid: 4 };

export interface ToyFiles {
  /** Plain RWKV-7 under official names. */
  language: string;
  /** A SigLIP under the names of Hugging Face. */
  tower: string;
  vocabulary: string;
  tokenizer: Tokenizer;
}

export const toy_width = 64;

/** Every word of the set with the blank before it is one piece. */
function toyVocabulary(): string {
  const rows = Deno.readTextFileSync(toy_data).trim().split("\n").map((line) => JSON.parse(line));
  const texts: string[] = rows.flatMap(({ conversations }) =>
    conversations.map(({ value }: { value: string }) => value.replaceAll("<image>", ""))
  );
  const words = new Set(["\\n\\n", "User", "Assistant"]);
  for (const text of texts) {
    for (const [word] of text.matchAll(/[A-Za-z]+/g)) {
      words.add(word);
      words.add(` ${word}`);
    }
  }
  const pieces = [...words].filter((word) => word.length > 1);
  return byteVocabulary() +
    pieces.map((word, index) => `${257 + index} '${word}' ${word.replaceAll("\\n", "n").length}\n`).join("");
}

export async function writeToy(dir: string): Promise<ToyFiles> {
  const text = toyVocabulary();
  const vocabulary = join(dir, "tokenizer.txt");
  await Deno.writeTextFile(vocabulary, text);
  const tokenizer = Tokenizer.parse(new TextEncoder().encode(text), vocabulary);
  const language = join(dir, "rwkv.safetensors");
  const ranks = { w: 16, a: 16, v: 16, g: 16 };
  const shape = {
    version: 7,
    layers: 2,
    width: toy_width,
    vocab: tokenizer.id_max + 1,
    ranks,
    seed: 3,
  } as const;
  const named = [...initialRwkv(shape)].map(([name, { dims, data }]) =>
    [name, { shape: [...dims], data: new Float32Array(data) }] as const
  );
  await Deno.writeFile(language, encodeSafetensors(new Map(named)));
  await Deno.mkdir(join(dir, "tower"));
  const tower = join(dir, "tower", "model.safetensors");
  const checkpoint = randomCheckpoint(hfShapes("siglip_hf", "vision_model.", tower_sizes), 5);
  await Deno.writeFile(
    tower,
    encodeSafetensors(
      new Map(
        [...checkpoint].map(([name, { shape: sizes, data }]) =>
          [name, { shape: [...sizes], data: new Float32Array(data) }] as const
        ),
      ),
    ),
  );
  return { language, tower, vocabulary, tokenizer };
}
