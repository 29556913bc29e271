// Random weights whose likeliest words depend on what was seen and asked before: with those of the built-in model the
// newest token decides nearly alone, and a test of greedy captions would see one word for ever.
import { channel } from "../../src/seed/channels.ts";
import { randomRwkv } from "../../src/seed/rwkv_weights.ts";
import { seed_variants } from "../../src/seed/seed_variants.ts";
import { seed_tokens } from "../../src/seed/seed_vocabulary.ts";
import { encodeSafetensors } from "../../src/model/safetensors.ts";

/** How much louder the memory is, and how much of each token is its own. Both found by trying. */
const memory_gain = 4;
const own_share = 0.3;
/** Any word: what all tokens have in common. */
const common_token = 300;

/** A safetensors file of the sizes of the smallest built-in model. Its words never end by themselves. */
export function attentiveWeights(): Uint8Array<ArrayBuffer> {
  const { rwkv, seed } = seed_variants.tiny;
  const tensors = randomRwkv(rwkv, seed);
  const { width } = rwkv;
  for (let layer = 0; layer < rwkv.layers; layer++) {
    const { data } = tensors.get(`blocks.${layer}.att.output.weight`)!;
    data.forEach((value, at) => data[at] = memory_gain * value);
  }
  const embedding = tensors.get("emb.weight")!.data;
  const common = embedding.slice(common_token * width, (common_token + 1) * width);
  embedding.forEach((value, at) => {
    embedding[at] = (1 - own_share) * common[at % width]! + own_share * value;
  });
  const head = tensors.get("head.weight")!.data;
  head[seed_tokens.turn_end * width + channel.one] = -30;
  head[seed_tokens.turn_end * width + channel.text] = 0;
  return encodeSafetensors(tensors) as Uint8Array<ArrayBuffer>;
}
