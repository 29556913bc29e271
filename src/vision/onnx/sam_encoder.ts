// SAM's image encoder: blocks that look into windows or everywhere, the neck, and the down-sampler that makes one
// vector of 2 x 2 without losing anything.
import { countBlocks, headsOf, type PreparedEncoder } from "./encoder_parts.ts";
import type { Value } from "./graph.ts";
import { patchConvolution, patchGrid } from "./picture_input.ts";
import { attendInSquare } from "./sam_attention.ts";
import type { TowerGraph } from "./tower_graph.ts";
import type { SamEncoder } from "./tower_plan.ts";
import { type BlockNames, type BlockShape, mlp, projectOut } from "./transformer.ts";

const names: BlockNames = {
  norm1: "norm1",
  qkv: ["attn.qkv"],
  out: "attn.proj",
  norm2: "norm2",
  fc1: "mlp.lin1",
  fc2: "mlp.lin2",
};

/** Throws RangeError for what is missing or does not fit. */
export function prepareSamEncoder(tower: TowerGraph, encoder: SamEncoder): PreparedEncoder {
  const { prefix, norm_epsilon = 1e-6 } = encoder;
  const positions = `${prefix}pos_embed`;
  const [, rows, columns, width] = tower.shapeOf(positions, [1, undefined, undefined, undefined]);
  const grid = patchGrid(tower, `${prefix}patch_embed.proj.weight`, width, rows * columns);
  const side = grid.grid;
  if (rows !== columns || side % 2 !== 0) {
    throw new RangeError(`"${positions}": a grid of ${rows} x ${columns} is not square and even`);
  }
  const blocks = countBlocks(tower, (n) => `${prefix}blocks.${n}.norm1.weight`, 0);
  const head_width = tower.shapeOf(`${prefix}blocks.0.attn.rel_pos_h`, [undefined, undefined])[1];
  const heads = headsOf(prefix, width, encoder.heads, head_width);
  const shape: BlockShape = { width, heads, norm_epsilon, activation: "erf" };
  return {
    ...grid,
    feature_grid: side / 2,
    has_class_token: false,
    write(inputs, views) {
      const { graph } = tower;
      const planes = inputs.normalised(encoder, grid.image_px);
      const patches = patchConvolution(tower, `${prefix}patch_embed.proj`, planes, grid, width, "needed");
      const cells = graph.node("Transpose", `${prefix}cells`, [patches], { perm: [0, 2, 3, 1] });
      let x = graph.node("Add", `${prefix}embedded`, [
        cells,
        tower.load(positions, [1, side, side, width]),
      ]);
      for (let n = 0; n < blocks; n++) x = samBlock(tower, `${prefix}blocks.${n}.`, x, side, views, shape);
      return downSample(tower, prefix, neck(tower, `${prefix}neck.`, x, width, norm_epsilon), side);
    },
  };
}

/** [N, side, side, width], in and out. */
function samBlock(
  tower: TowerGraph,
  prefix: string,
  x: Value,
  side: number,
  views: number,
  shape: BlockShape,
): Value {
  const { graph } = tower;
  const { width, norm_epsilon } = shape;
  const normed = tower.norm(`${prefix}norm1`, x, width, norm_epsilon);
  const table_rows = tower.shapeOf(`${prefix}attn.rel_pos_h`, [undefined, width / shape.heads])[0];
  const window = (table_rows + 1) / 2;
  if (!Number.isInteger(window) || window > side) {
    throw new RangeError(
      `"${prefix}attn.rel_pos_h" has ${table_rows} rows, which fits no window of 1 to ${side}`,
    );
  }
  const per_side = Math.ceil(side / window);
  const parts = divide(tower, prefix, normed, side, window, width);
  const pictures = views * per_side * per_side;
  const mixed = attendInSquare(tower, prefix, parts, window, pictures, names, shape);
  const out = projectOut(tower, `${prefix}attn.proj`, mixed, width, width);
  const whole = unite(tower, prefix, out, side, window, width);
  return mlp(tower, prefix, graph.node("Add", `${prefix}attended`, [x, whole]), names, shape);
}

/** [N, side, side, width] → [N windows, window * window, width]; zeros fill up the last ones below and at the right. */
function divide(
  tower: TowerGraph,
  prefix: string,
  x: Value,
  side: number,
  window: number,
  width: number,
): Value {
  const { graph } = tower;
  const flat = tower.integers(-1, window * window, width);
  if (window === side) return graph.node("Reshape", `${prefix}flat`, [x, flat]);
  const per_side = Math.ceil(side / window);
  const gap = per_side * window - side;
  const padded = gap === 0
    ? x
    : graph.node("Pad", `${prefix}padded`, [x, tower.integers(0, 0, 0, 0, 0, gap, gap, 0)]);
  const apart = graph.node("Reshape", `${prefix}windows_apart`, [
    padded,
    tower.integers(-1, per_side, window, per_side, window, width),
  ]);
  const turned = graph.node("Transpose", `${prefix}windows`, [apart], { perm: [0, 1, 3, 2, 4, 5] });
  return graph.node("Reshape", `${prefix}windows_flat`, [turned, flat]);
}

/** The way back, without what was filled up. */
function unite(
  tower: TowerGraph,
  prefix: string,
  x: Value,
  side: number,
  window: number,
  width: number,
): Value {
  const { graph } = tower;
  if (window === side) {
    return graph.node("Reshape", `${prefix}unflat`, [x, tower.integers(-1, side, side, width)]);
  }
  const per_side = Math.ceil(side / window);
  const full = per_side * window;
  const apart = graph.node("Reshape", `${prefix}united_apart`, [
    x,
    tower.integers(-1, per_side, per_side, window, window, width),
  ]);
  const turned = graph.node("Transpose", `${prefix}united_turned`, [apart], { perm: [0, 1, 3, 2, 4, 5] });
  const united = graph.node("Reshape", `${prefix}united`, [turned, tower.integers(-1, full, full, width)]);
  if (full === side) return united;
  return graph.node("Slice", `${prefix}cropped`, [
    united,
    tower.integers(0, 0),
    tower.integers(side, side),
    tower.integers(1, 2),
  ]);
}

/** 1 x 1 and 3 x 3 convolution without bias, each with a norm over the channels: [N, side, side, channels]. */
function neck(
  tower: TowerGraph,
  prefix: string,
  x: Value,
  width: number,
  epsilon: number,
): { value: Value; channels: number } {
  const { graph } = tower;
  // Channels stand last, so that the 1 x 1 convolution is a matrix.
  const narrowed = tower.linear(`${prefix}0`, x, width, [`${prefix}0`], { bias: "none", quantised: false });
  const channels = narrowed.width;
  const first = tower.norm(`${prefix}1`, narrowed.value, channels, epsilon);
  const planes = graph.node("Transpose", `${prefix}planes`, [first], { perm: [0, 3, 1, 2] });
  const kernel = tower.kernel(
    `${prefix}2.weight`,
    tower.shapeOf(`${prefix}2.weight`, [channels, channels, 3, 3]),
  );
  const convolved = graph.node("Conv", `${prefix}2`, [planes, kernel], {
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
  });
  const cells = graph.node("Transpose", `${prefix}cells`, [convolved], { perm: [0, 2, 3, 1] });
  return { value: tower.norm(`${prefix}3`, cells, channels, epsilon), channels };
}

/** Channel 4 c + 2 dy + dx of a cell is channel c of its patch (dy, dx): [N, (side / 2)², 4 channels]. */
function downSample(
  tower: TowerGraph,
  prefix: string,
  { value, channels }: { value: Value; channels: number },
  side: number,
): { patches: Value; width: number } {
  const { graph } = tower;
  const half = side / 2;
  const apart = graph.node("Reshape", `${prefix}pairs`, [
    value,
    tower.integers(-1, half, 2, half, 2, channels),
  ]);
  const turned = graph.node("Transpose", `${prefix}pairs_turned`, [apart], { perm: [0, 1, 3, 5, 2, 4] });
  const patches = graph.node("Reshape", `${prefix}patches`, [
    turned,
    tower.integers(-1, half * half, 4 * channels),
  ]);
  return { patches, width: 4 * channels };
}
