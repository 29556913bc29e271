// Architectures that look like RWKV or VisualRWKV and are not what Gander runs, by the names that give them away.
// Must not know files.
import { listNames } from "./tensor_table.ts";

const strangers: readonly [RegExp, string][] = [
  [/\bffn\.s_emb\b|\bffn\.s[012]\b|\bs_emb\b/, "DeepEmbed (RWKV-7a and 7b), which is not supported"],
  [/\brosa|\bqkv_rosa|\batt\.emb_/i, "RWKV-8, which is not supported"],
  [
    /(^|\.)blocks\.\d+\.att\.time_first$/,
    "RWKV-4 or an early RWKV-5, whose recurrence is another; RWKV-5.2, 6 and 7 are supported",
  ],
  [/\bcross_blocks\./, "the cross-attention blocks of VisualRWKV v6.23, which is not supported"],
  [/(^|\.)tiny_(ln|q|k|v|o)\b/, "the attention layer of VisualRWKV v5.2 (hybrid), which is not supported"],
  [
    /(^|\.)cross_(att|attn|attention)|\bcross_\w+\.weight$/,
    "the cross-attention of VisualRWKV v5.3 or v5.4, which is not supported",
  ],
  [/(^|\.)blocks\.\d+\.ln3\./, "the cross-state blocks of VisualRWKV v6.22, which is not supported"],
  [
    /(^|\.)(img|image)_(state|encoder|rwkv)\w*\./,
    "the image state encoder of VisualRWKV v6.21, which is not supported",
  ],
  [
    /^vrwkv\.|(^|\.)blocks\.\d+\.(ln_v|ffn_v)\./,
    "VisualRWKV v7.10 (without vision tower), which is not supported",
  ],
  [/^llm\.|^encoder\.(?!layers\.)/, "WorldRWKV or ModRWKV, which is not supported"],
  [
    /\.attention\.(time_|key\.|ln_x\.)|^rwkv\.embeddings\./,
    "RWKV as older transformers versions store it; use the official .pth",
  ],
  [/^model\.layers\.\d+\.(self_attn|mlp)\.|^transformer\./, "a transformer, not RWKV"],
  [
    /\.attn\.(x_proj|w_lora_A|bonus|x_x)\b/,
    "RWKV-6 as flash-linear-attention stores it; use the official .pth",
  ],
  [/\blora_[AB]\b|\.(bone|pissa|dora)\b/, "an adapter, not whole weights; merge it first"],
];

/** What the unknown names belong to, as sentence parts: `"a" belongs to DeepEmbed …`. */
export function explainUnknown(names: readonly string[]): string[] {
  const explained: string[] = [];
  let left = [...names];
  for (const [pattern, what] of strangers) {
    const matching = left.filter((name) => pattern.test(name));
    if (matching.length === 0) continue;
    explained.push(`${listNames(matching)} ${matching.length === 1 ? "belongs" : "belong"} to ${what}`);
    left = left.filter((name) => !pattern.test(name));
  }
  if (left.length > 0) {
    explained.push(`unknown ${left.length === 1 ? "tensor" : "tensors"} ${listNames(left)}`);
  }
  return explained;
}
