// CLIP and SigLIP with the names of Hugging Face: a class token and a norm in front (CLIP), or neither (SigLIP).
import { countBlocks, headsOf, type PreparedEncoder, sliceTokens } from "./encoder_parts.ts";
import type { Value } from "./graph.ts";
import { patchGrid, patchTokens, repeatForEach } from "./picture_input.ts";
import type { TowerGraph } from "./tower_graph.ts";
import type { ClipEncoder, SiglipHfEncoder } from "./tower_plan.ts";
import { block, type BlockNames } from "./transformer.ts";

const names: BlockNames = {
  norm1: "layer_norm1",
  qkv: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
  out: "self_attn.out_proj",
  norm2: "layer_norm2",
  fc1: "mlp.fc1",
  fc2: "mlp.fc2",
};

/** Throws RangeError for what is missing or does not fit. */
export function prepareHfEncoder(tower: TowerGraph, encoder: ClipEncoder | SiglipHfEncoder): PreparedEncoder {
  const { prefix, kind, image_px, skip_blocks = 0 } = encoder;
  const clip = kind === "clip";
  const positions = `${prefix}embeddings.position_embedding.weight`;
  const convolution = `${prefix}embeddings.patch_embedding`;
  const [count, width] = tower.shapeOf(positions, [undefined, undefined]);
  const grid = patchGrid(tower, `${convolution}.weight`, width, clip ? count - 1 : count, image_px);
  const blocks = countBlocks(tower, (n) => `${prefix}encoder.layers.${n}.layer_norm1.weight`, skip_blocks);
  const norm_epsilon = encoder.norm_epsilon ?? (clip ? 1e-5 : 1e-6);
  const shape = {
    width,
    heads: headsOf(prefix, width, encoder.heads),
    norm_epsilon,
    activation: encoder.activation ?? (clip ? "quick" : "tanh"),
  } as const;
  return {
    ...grid,
    feature_grid: grid.grid,
    has_class_token: clip,
    write(inputs, views) {
      const planes = inputs.normalised(encoder, grid.image_px);
      let x = patchTokens(tower, convolution, planes, grid, width, clip ? "optional" : "needed");
      if (clip) x = prependClass(tower, prefix, x, width);
      x = tower.graph.node("Add", `${prefix}embedded`, [x, tower.load(positions, [count, width])]);
      if (clip) x = tower.norm(`${prefix}pre_layrnorm`, x, width, norm_epsilon);
      for (let n = 0; n < blocks; n++) {
        x = block(tower, `${prefix}encoder.layers.${n}.`, x, count, views, names, shape);
      }
      if (encoder.post_norm ?? !clip) x = tower.norm(`${prefix}post_layernorm`, x, width, norm_epsilon);
      if (!clip) return { patches: x, width };
      return {
        patches: sliceTokens(tower, `${prefix}patches`, x, 1, count),
        width,
        class_token: sliceTokens(tower, `${prefix}class_token`, x, 0, 1),
      };
    },
  };
}

function prependClass(tower: TowerGraph, prefix: string, x: Value, width: number): Value {
  const name = `${prefix}embeddings.class_embedding`;
  const token = tower.load(name, tower.shapeOf(name, [width]));
  const repeated = repeatForEach(tower, `${prefix}class_tokens`, token, x, [1, width]);
  return tower.graph.node("Concat", `${prefix}tokens`, [repeated, x], { axis: 1 });
}
