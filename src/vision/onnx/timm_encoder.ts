// SigLIP and DINOv2 with registers, with the names of timm. The feature is what leaves the last block that runs: no
// final norm, no pooling head.
import { countBlocks, headsOf, type PreparedEncoder, sliceTokens } from "./encoder_parts.ts";
import type { Value } from "./graph.ts";
import { patchGrid, patchTokens, repeatForEach } from "./picture_input.ts";
import type { TowerGraph } from "./tower_graph.ts";
import type { DinoEncoder, SiglipTimmEncoder } from "./tower_plan.ts";
import { block, type BlockNames } from "./transformer.ts";

const siglip_names: BlockNames = {
  norm1: "norm1",
  qkv: ["attn.qkv"],
  out: "attn.proj",
  norm2: "norm2",
  fc1: "mlp.fc1",
  fc2: "mlp.fc2",
};
const dino_names: BlockNames = { ...siglip_names, scale1: "ls1.gamma", scale2: "ls2.gamma" };

/** Throws RangeError for what is missing or does not fit. */
export function prepareTimmEncoder(
  tower: TowerGraph,
  encoder: DinoEncoder | SiglipTimmEncoder,
): PreparedEncoder {
  const { prefix, image_px, skip_blocks = 1, norm_epsilon = 1e-6 } = encoder;
  const dino = encoder.kind === "dino_timm";
  const positions = `${prefix}pos_embed`;
  const [, count, width] = tower.shapeOf(positions, [1, undefined, undefined]);
  const grid = patchGrid(tower, `${prefix}patch_embed.proj.weight`, width, count, image_px);
  const blocks = countBlocks(tower, (n) => `${prefix}blocks.${n}.norm1.weight`, skip_blocks);
  const registers = dino ? tower.shapeOf(`${prefix}reg_token`, [1, undefined, width])[1] : 0;
  if (dino) tower.shapeOf(`${prefix}cls_token`, [1, 1, width]);
  const extra = dino ? 1 + registers : 0;
  const tokens = extra + count;
  const shape = {
    width,
    heads: headsOf(prefix, width, encoder.heads, dino ? 64 : 72),
    norm_epsilon,
    activation: dino ? "erf" : encoder.activation ?? "erf",
  } as const;
  return {
    ...grid,
    feature_grid: grid.grid,
    has_class_token: false,
    write(inputs, views) {
      const planes = inputs.normalised(encoder, grid.image_px);
      let x = patchTokens(tower, `${prefix}patch_embed.proj`, planes, grid, width, "needed");
      // Only patches have positions; the other tokens are put in front afterwards.
      x = tower.graph.node("Add", `${prefix}embedded`, [x, tower.load(positions, [1, count, width])]);
      if (dino) x = prependTokens(tower, prefix, x, extra, width);
      for (let n = 0; n < blocks; n++) {
        const names = dino ? dino_names : siglip_names;
        x = block(tower, `${prefix}blocks.${n}.`, x, tokens, views, names, shape);
      }
      const patches = dino ? sliceTokens(tower, `${prefix}patches`, x, extra, tokens) : x;
      return { patches, width };
    },
  };
}

/** Class token, then registers. */
function prependTokens(tower: TowerGraph, prefix: string, x: Value, extra: number, width: number): Value {
  const sources = [`${prefix}cls_token`, `${prefix}reg_token`];
  const front = tower.derive(`${prefix}front`, [1, extra, width], sources, ([token, registers]) => {
    const all = new Float32Array(extra * width);
    all.set(token);
    all.set(registers, width);
    return all;
  });
  const repeated = repeatForEach(tower, `${prefix}front_tokens`, front, x, [extra, width]);
  return tower.graph.node("Concat", `${prefix}tokens`, [repeated, x], { axis: 1 });
}
