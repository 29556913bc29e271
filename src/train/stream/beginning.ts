// What a stream model is before training: RWKV-7 as usual, and a projector that lays the name of the class it sees on the
// embedding of that name, so that looking and speaking begin with the same words. Must not know trainers or batches.
import { uniform } from "../../random.ts";
import { pluralOf, things } from "../../world/vocabulary.ts";
import { initialRwkv } from "../init.ts";
import type { NamedTensor } from "../ports.ts";
import { slot_width } from "./simulate.ts";
import { nameToken, worldVocabulary } from "./vocabulary.ts";

export interface StreamSizes {
  /** D. */
  width: number;
  layers: number;
  seed: number;
}

/** The demo model: 2.2 million parameters. */
export const demo_sizes = { width: 192, layers: 4 } as const;
const ranks = { w: 24, a: 24, v: 16, g: 32 };

/**
 * Standard deviations. Embeddings are far larger than RWKV's usual 1e-4: beside the thirty other numbers of a slot a name
 * must still be heard behind the projector.
 */
const embedding_deviation = 0.1, projector_deviation = 0.02;

export function streamParameters({ width, layers, seed }: StreamSizes): Map<string, NamedTensor> {
  const { size } = worldVocabulary();
  const tensors = initialRwkv({ version: 7, layers, width, vocab: size, ranks, seed });
  const embedding = uniform(seed, "emb.weight", size * width, embedding_deviation);
  likenPlurals(embedding, width, uniform(seed, "plural", width, embedding_deviation / 2));
  tensors.set("emb.weight", { dims: [size, width], data: embedding });
  const projector = uniform(seed, "proj.weight", width * slot_width, projector_deviation);
  for (const [column, { name }] of things.entries()) {
    const from = nameToken(name) * width;
    for (let row = 0; row < width; row++) projector[row * slot_width + column] = embedding[from + row]!;
  }
  tensors.set("proj.weight", { dims: [width, slot_width], data: projector });
  tensors.set("proj.bias", { dims: [width], data: new Float32Array(width) });
  return tensors;
}

/**
 * "dogs" begins as "dog" and a bit that all plurals share: the projector shows the narrator single things, and "how many
 * dogs?" is about those. Begun apart, the two were still strangers after 18,000 clips, and every answer was "one".
 */
export function likenPlurals(embedding: Float32Array, width: number, plural: Float32Array): void {
  const { encode } = worldVocabulary();
  for (const { name } of things) {
    const one = nameToken(name), [many, ...rest] = encode(` ${pluralOf(name)}`);
    if (many === undefined || rest.length > 0 || many === one) continue;
    for (let at = 0; at < width; at++) {
      embedding[many * width + at] = embedding[one * width + at]! + plural[at]!;
    }
  }
}
