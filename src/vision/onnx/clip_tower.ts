// A CLIP-type vision tower of any size as an ONNX model: uint8 pixels in, K vectors of width D out. Normalising,
// pooling and projecting are inside the graph, so that whoever runs it needs to know only the two shapes.
// Must not know where weights come from.
import { BlockWriter } from "./blocks.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { poolingMatrix } from "./pooling.ts";

export interface ClipTowerShape {
  width_px: number;
  height_px: number;
  patch_px: number;
  /** Width of the tower; a multiple of `heads`. */
  width: number;
  layers: number;
  heads: number;
  mlp_width: number;
  /** A learned token in front of the patches. */
  class_token: boolean;
  /** LayerNorm behind the embeddings (CLIP has it). */
  pre_norm: boolean;
  /** LayerNorm behind the last layer (LLaVA-like models leave it out). */
  post_norm: boolean;
  /** Grid of vectors that the patches are averaged into; the patch grid itself for no pooling. */
  pool_rows: number;
  pool_columns: number;
  /** The class token follows the grid as one more vector. */
  class_vector: boolean;
  /** D. */
  vector_width: number;
  /** Per channel, of pixels in 0..1. */
  mean: readonly [number, number, number];
  std: readonly [number, number, number];
  norm_epsilon: number;
}

/** K of a tower. */
export function vectorsPerFrame(shape: ClipTowerShape): number {
  return shape.pool_rows * shape.pool_columns + (shape.class_vector ? 1 : 0);
}

/**
 * Weights by the names of released CLIP vision models (`embeddings.patch_embedding.weight`,
 * `encoder.layers.0.self_attn.q_proj.weight` [out, in] …) and of the projector: `proj.weight` [D, width],
 * `proj.bias` [D], `proj.position` [K, D] (added to the vectors: which cell is which). Row-major; undefined when
 * there is none (only the last two may be missing).
 */
export type WeightLookup = (name: string) => Float32Array | undefined;

/** The bytes of the model file: input "rgb" [N, H, W, 3], output "vectors" [N, K, D]. Throws RangeError. */
export function buildClipTower(shape: ClipTowerShape, weights: WeightLookup): Uint8Array<ArrayBuffer> {
  if (shape.class_vector && !shape.class_token) throw new RangeError("A class vector needs a class token");
  return new TowerWriter(shape, weights).write();
}

class TowerWriter {
  readonly #shape: ClipTowerShape;
  readonly #blocks: BlockWriter;
  readonly #graph: GraphBuilder;
  readonly #rows: number;
  readonly #columns: number;

  constructor(shape: ClipTowerShape, weights: WeightLookup) {
    this.#shape = shape;
    this.#blocks = new BlockWriter(shape, weights);
    this.#graph = this.#blocks.graph;
    this.#rows = Math.floor(shape.height_px / shape.patch_px);
    this.#columns = Math.floor(shape.width_px / shape.patch_px);
  }

  write(): Uint8Array<ArrayBuffer> {
    const graph = this.#graph;
    const { width_px, height_px, layers, pre_norm, post_norm, vector_width } = this.#shape;
    const rgb = graph.input("rgb", "uint8", ["N", height_px, width_px, 3]);
    let x = this.#embed(this.#normalise(rgb));
    if (pre_norm) x = this.#blocks.norm("pre_layrnorm", x);
    for (let layer = 0; layer < layers; layer++) x = this.#blocks.block(`encoder.layers.${layer}.`, x);
    if (post_norm) x = this.#blocks.norm("post_layernorm", x);
    const vectors = this.#project(this.#pool(x));
    graph.output("vectors", vectors, "float32", ["N", vectorsPerFrame(this.#shape), vector_width]);
    return graph.finish("clip_tower");
  }

  /** uint8 [N,H,W,3] → float [N,3,H,W], (pixel / 255 - mean) / std. */
  #normalise(rgb: Value): Value {
    const { mean, std } = this.#shape;
    const scale = this.#graph.floats(
      "pixel_scale",
      [3],
      Float32Array.from(std, (value) => 1 / (255 * value)),
    );
    const shift = this.#graph.floats(
      "pixel_shift",
      [3],
      Float32Array.from(mean, (value, c) => -value / std[c]),
    );
    const pixels = this.#graph.node("Cast", "pixels", [rgb], { to: 1 });
    const scaled = this.#graph.node("Mul", "pixels_scaled", [pixels, scale]);
    const shifted = this.#graph.node("Add", "pixels_shifted", [scaled, shift]);
    return this.#graph.node("Transpose", "planes", [shifted], { perm: [0, 3, 1, 2] });
  }

  /** Patches, class token, positions: [N, T, width]. */
  #embed(planes: Value): Value {
    const graph = this.#graph;
    const { width, patch_px, class_token } = this.#shape;
    const kernel = this.#blocks.load("embeddings.patch_embedding.weight", [width, 3, patch_px, patch_px]);
    const grid = graph.node("Conv", "patches", [planes, kernel], {
      kernel_shape: [patch_px, patch_px],
      strides: [patch_px, patch_px],
    });
    const flat = graph.node("Reshape", "patches_flat", [grid, graph.integers("flat_shape", [0, width, -1])]);
    let tokens = graph.node("Transpose", "patch_tokens", [flat], { perm: [0, 2, 1] });
    if (class_token) tokens = this.#prependClass(tokens);
    const count = this.#rows * this.#columns + (class_token ? 1 : 0);
    const positions = this.#blocks.load("embeddings.position_embedding.weight", [count, width]);
    return graph.node("Add", "embedded", [tokens, positions]);
  }

  #prependClass(tokens: Value): Value {
    const graph = this.#graph;
    const { width } = this.#shape;
    const token = this.#blocks.load("embeddings.class_embedding", [width]);
    const frames = graph.node("Slice", "frame_count", [
      graph.node("Shape", "tokens_shape", [tokens]),
      graph.integers("from_first", [0]),
      graph.integers("to_second", [1]),
    ]);
    const shape = graph.node("Concat", "class_shape", [frames, graph.integers("class_tail", [1, width])], {
      axis: 0,
    });
    const classes = graph.node("Expand", "class_tokens", [token, shape]);
    return graph.node("Concat", "tokens", [classes, tokens], { axis: 1 });
  }

  #pool(x: Value): Value {
    const { pool_rows, pool_columns, class_token, class_vector } = this.#shape;
    const { data, shape } = poolingMatrix({
      rows: this.#rows,
      columns: this.#columns,
      pool_rows,
      pool_columns,
      class_token,
      class_vector,
    });
    return this.#graph.node("MatMul", "pooled", [this.#graph.floats("pooling", shape, data), x]);
  }

  #project(x: Value): Value {
    const { width, vector_width } = this.#shape;
    const vectors = this.#blocks.linear("proj", x, width, vector_width, this.#blocks.has("proj.bias"));
    if (!this.#blocks.has("proj.position")) return vectors;
    const positions = this.#blocks.load("proj.position", [vectorsPerFrame(this.#shape), vector_width]);
    return this.#graph.node("Add", "vectors_placed", [vectors, positions]);
  }
}
