// The tensors of the vision towers by the names that released checkpoints use, at their true sizes, dead ones (last
// blocks, pooling heads) included. Shapes: spec sections 2.3, 2.5 and 2.9. Must not know language models or files.
import { TensorList } from "./tensor_list.ts";

/** CLIP ViT-L/14 at 336 pixels, as HF writes it. */
export function clipTensors(prefix: string): TensorList {
  const list = new TensorList(`${prefix}vision_model.`);
  const width = 1024;
  list.add("embeddings.class_embedding", [width], 0.5);
  list.add("embeddings.patch_embedding.weight", [width, 3, 14, 14], 0.05);
  list.add("embeddings.position_embedding.weight", [577, width], 0.1);
  list.norm("pre_layrnorm", width);
  addHfLayers(list, 24, width, 4096);
  return list.norm("post_layernorm", width);
}

/** SigLIP2 base, patch 16, 256 pixels, as HF writes it, with the pooling head nobody here reads. */
export function siglip2Tensors(prefix: string): TensorList {
  const list = new TensorList(`${prefix}vision_model.`);
  const width = 768, mlp_width = 3072;
  list.add("embeddings.patch_embedding.weight", [width, 3, 16, 16], 0.05);
  list.add("embeddings.patch_embedding.bias", [width], 0.02);
  list.add("embeddings.position_embedding.weight", [256, width], 0.1);
  addHfLayers(list, 12, width, mlp_width);
  list.norm("post_layernorm", width);
  list.add("head.probe", [1, 1, width], 0.5);
  list.matrix("head.attention.in_proj_weight", 3 * width, width);
  list.add("head.attention.in_proj_bias", [3 * width], 0.02);
  list.linear("head.attention.out_proj", width, width).norm("head.layernorm", width);
  return list.linear("head.mlp.fc1", width, mlp_width).linear("head.mlp.fc2", mlp_width, width);
}

function addHfLayers(list: TensorList, layers: number, width: number, mlp_width: number): void {
  for (let layer = 0; layer < layers; layer++) {
    const at = `encoder.layers.${layer}.`;
    for (const name of ["q_proj", "k_proj", "v_proj", "out_proj"]) {
      list.linear(`${at}self_attn.${name}`, width, width);
    }
    list.norm(`${at}layer_norm1`, width).norm(`${at}layer_norm2`, width);
    list.linear(`${at}mlp.fc1`, width, mlp_width).linear(`${at}mlp.fc2`, mlp_width, width);
  }
}

function addTimmBlock(list: TensorList, at: string, width: number, mlp_width: number, scaled: boolean): void {
  list.norm(`${at}norm1`, width).linear(`${at}attn.qkv`, width, 3 * width).linear(
    `${at}attn.proj`,
    width,
    width,
  );
  if (scaled) list.add(`${at}ls1.gamma`, [width], 0.1, 0.2);
  list.norm(`${at}norm2`, width);
  list.linear(`${at}mlp.fc1`, width, mlp_width).linear(`${at}mlp.fc2`, mlp_width, width);
  if (scaled) list.add(`${at}ls2.gamma`, [width], 0.1, 0.2);
}

/** DINOv2-L/14 with four registers, positions for 448 pixels. */
export function dinoTensors(prefix: string): TensorList {
  const list = new TensorList(prefix);
  const width = 1024;
  list.add("cls_token", [1, 1, width], 0.5).add("reg_token", [1, 4, width], 0.5);
  list.add("pos_embed", [1, 1024, width], 0.1);
  list.add("patch_embed.proj.weight", [width, 3, 14, 14], 0.05).add("patch_embed.proj.bias", [width], 0.02);
  for (let block = 0; block < 24; block++) addTimmBlock(list, `blocks.${block}.`, width, 4096, true);
  return list.norm("norm", width);
}

/** SigLIP so400m/14, positions for 448 pixels, with its pooling head. */
export function siglipTensors(prefix: string): TensorList {
  const list = new TensorList(prefix);
  const width = 1152, mlp_width = 4304;
  list.add("pos_embed", [1, 1024, width], 0.1);
  list.add("patch_embed.proj.weight", [width, 3, 14, 14], 0.05).add("patch_embed.proj.bias", [width], 0.02);
  for (let block = 0; block < 27; block++) addTimmBlock(list, `blocks.${block}.`, width, mlp_width, false);
  list.norm("norm", width).add("attn_pool.latent", [1, 1, width], 0.5);
  list.linear("attn_pool.q", width, width).linear("attn_pool.kv", width, 2 * width);
  list.linear("attn_pool.proj", width, width).norm("attn_pool.norm", width);
  return list.linear("attn_pool.mlp.fc1", width, mlp_width).linear("attn_pool.mlp.fc2", mlp_width, width);
}

/** SAM ViT-B's image encoder at 1024 pixels. */
export function samTensors(prefix: string): TensorList {
  const list = new TensorList(prefix);
  const width = 768, neck_width = 256;
  list.add("pos_embed", [1, 64, 64, width], 0.1);
  list.add("patch_embed.proj.weight", [width, 3, 16, 16], 0.05).add("patch_embed.proj.bias", [width], 0.02);
  for (let block = 0; block < 12; block++) {
    const at = `blocks.${block}.`;
    const window = [2, 5, 8, 11].includes(block) ? 64 : 14;
    list.norm(`${at}norm1`, width).linear(`${at}attn.qkv`, width, 3 * width);
    list.linear(`${at}attn.proj`, width, width);
    list.add(`${at}attn.rel_pos_h`, [2 * window - 1, 64], 0.05);
    list.add(`${at}attn.rel_pos_w`, [2 * window - 1, 64], 0.05);
    list.norm(`${at}norm2`, width).linear(`${at}mlp.lin1`, width, 3072).linear(`${at}mlp.lin2`, 3072, width);
  }
  list.add("neck.0.weight", [neck_width, width, 1, 1], Math.sqrt(3 / width)).norm("neck.1", neck_width);
  list.add("neck.2.weight", [neck_width, neck_width, 3, 3], Math.sqrt(3 / (9 * neck_width)));
  return list.norm("neck.3", neck_width);
}
