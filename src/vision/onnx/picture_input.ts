// The way from pixels to the first tokens: inputs of the graph, normalising, patches. Must not know which encoder
// asks.
import { vision_limits } from "../limits.ts";
import type { Value } from "./graph.ts";
import type { TowerGraph } from "./tower_graph.ts";
import type { Encoder, TowerInput, Triple } from "./tower_plan.ts";

const imagenet: { mean: Triple; std: Triple } = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const halves: { mean: Triple; std: Triple } = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/** What each encoder was trained with. */
const normalisations: Record<Encoder["kind"], { mean: Triple; std: Triple }> = {
  clip: { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] },
  siglip_hf: halves,
  siglip_timm: halves,
  dino_timm: imagenet,
  sam: imagenet,
};

/** Side of the square picture an encoder wants, and how its patches lie in it. */
export interface PatchGrid {
  image_px: number;
  patch_px: number;
  /** Patches per side. */
  grid: number;
}

/** One input per size, smallest first; encoders of one size share it. */
export class PictureInputs {
  readonly inputs: TowerInput[];
  readonly #tower: TowerGraph;
  /** Float planes [N, 3, H, W] in 0..255, by size. */
  readonly #planes = new Map<number, Value>();

  constructor(tower: TowerGraph, sizes_px: readonly number[], views: number) {
    this.#tower = tower;
    const sizes = [...new Set(sizes_px)].sort((a, b) => a - b);
    this.inputs = sizes.map((size) => ({
      name: sizes.length === 1 ? "rgb" : `rgb_${size}`,
      width_px: size,
      height_px: size,
      views,
    }));
    // One picture per frame: N is the number of frames. Else their product, which the graph takes apart at its end.
    const count = views === 1 ? "N" : `N_times_${views}`;
    for (const { name, width_px, height_px } of this.inputs) {
      const rgb = tower.graph.input(name, "uint8", [count, height_px, width_px, 3]);
      const planes = tower.graph.node("Transpose", `${name}.planes`, [rgb], { perm: [0, 3, 1, 2] });
      this.#planes.set(width_px, tower.graph.node("Cast", `${name}.floats`, [planes], { to: 1 }));
    }
  }

  /** (pixel / 255 - mean) / std. */
  normalised(encoder: Encoder, image_px: number): Value {
    const { graph } = this.#tower;
    const { mean, std } = { ...normalisations[encoder.kind], ...definedOf(encoder) };
    const name = `${encoder.prefix}${encoder.kind}.pixels`;
    const scale = graph.floats(
      `${name}.scale`,
      [3, 1, 1],
      Float32Array.from(std, (value) => 1 / (255 * value)),
    );
    const shift = graph.floats(
      `${name}.shift`,
      [3, 1, 1],
      Float32Array.from(mean, (value, c) => -value / std[c]),
    );
    const planes = this.#planes.get(image_px);
    if (planes === undefined) throw new Error(`no input of ${image_px} pixels`);
    return graph.node("Add", name, [graph.node("Mul", `${name}.scaled`, [planes, scale]), shift]);
  }
}

function definedOf({ mean, std }: Encoder): { mean?: Triple; std?: Triple } {
  return { ...(mean && { mean }), ...(std && { std }) };
}

/** How the kernel's patches tile the picture; `positions` is the length of the position table without class token. */
export function patchGrid(
  tower: TowerGraph,
  kernel: string,
  width: number,
  positions: number,
  image_px?: number,
): PatchGrid {
  const patch_px = tower.shapeOf(kernel, [width, 3, undefined, undefined])[3];
  tower.shapeOf(kernel, [width, 3, patch_px, patch_px]);
  const grid = Math.round(Math.sqrt(positions));
  if (grid * grid !== positions) {
    throw new RangeError(`${positions} positions behind "${kernel}" are not a square grid`);
  }
  if (grid > vision_limits.grid_max) {
    throw new RangeError(`A grid of ${grid} x ${grid} patches is larger than ${vision_limits.grid_max}`);
  }
  const side_px = image_px ?? grid * patch_px;
  if (Math.floor(side_px / patch_px) !== grid) {
    throw new RangeError(
      `A picture of ${side_px} pixels in patches of ${patch_px} does not have ${grid} x ${grid} positions`,
    );
  }
  return { image_px: side_px, patch_px, grid };
}

/** Whether the convolution must have its `bias`. */
export type PatchBias = "needed" | "optional";

/** The patches as [N, width, grid, grid]. */
export function patchConvolution(
  tower: TowerGraph,
  name: string,
  planes: Value,
  { patch_px }: PatchGrid,
  width: number,
  bias: PatchBias,
): Value {
  const kernel = tower.kernel(`${name}.weight`, [width, 3, patch_px, patch_px]);
  const biased = bias === "needed" || tower.has(`${name}.bias`);
  const shift = biased ? [tower.load(`${name}.bias`, tower.shapeOf(`${name}.bias`, [width]))] : [];
  return tower.graph.node("Conv", name, [planes, kernel, ...shift], {
    kernel_shape: [patch_px, patch_px],
    strides: [patch_px, patch_px],
  });
}

/** The patches as tokens, row by row: [N, grid * grid, width]. */
export function patchTokens(
  tower: TowerGraph,
  name: string,
  planes: Value,
  grid: PatchGrid,
  width: number,
  bias: PatchBias,
): Value {
  const convolved = patchConvolution(tower, name, planes, grid, width, bias);
  const flat = tower.graph.node("Reshape", `${name}.flat`, [convolved, tower.integers(0, width, -1)]);
  return tower.graph.node("Transpose", `${name}.tokens`, [flat], { perm: [0, 2, 1] });
}

/** `[1, ...tail]` repeated for every picture that `like` has: [N, ...tail]. */
export function repeatForEach(
  tower: TowerGraph,
  name: string,
  value: Value,
  like: Value,
  tail: readonly number[],
): Value {
  const { graph } = tower;
  const count = graph.node("Slice", `${name}.count`, [
    graph.node("Shape", `${name}.shape`, [like]),
    tower.integers(0),
    tower.integers(1),
  ]);
  const shape = graph.node("Concat", `${name}.wanted`, [count, tower.integers(...tail)], { axis: 0 });
  return graph.node("Expand", name, [value, shape]);
}
