// What a tower is: which encoders of a checkpoint, how their features become K vectors of width D. Whoever knows the
// checkpoint fills this in; writeTower() makes the ONNX model of it. Types only; must not know ONNX or files.
//
// Sizes (widths, layers, grid, MLP) are read from the shapes of the tensors. A field here is what shapes cannot
// tell; an optional field left out means the value of the released models.

/** Per channel (red, green, blue), of pixels in 0..1. */
export type Triple = readonly [number, number, number];

/** "erf" is the exact GELU, "tanh" its approximation, "quick" x * sigmoid(1.702 x). */
export type Activation = "quick" | "erf" | "tanh";

interface EncoderFields {
  /** In front of every tensor name below, with its last dot: "vit.vision_model.", "vit.dino_featurizer.", "". */
  prefix: string;
  /**
   * Attention heads. Default: those of the released encoder of this width: heads are 64 wide, but 72 for
   * "siglip_timm" and width 1152, 80 for 1280, 104 for 1664; SAM's tables say it themselves.
   */
  heads?: number;
  /** Default: CLIP's own for "clip", 0.5 for both SigLIPs, ImageNet's for DINO and SAM. */
  mean?: Triple;
  std?: Triple;
  /** Of every LayerNorm. Default 1e-5 for "clip", 1e-6 for the rest. */
  norm_epsilon?: number;
}

interface SizedFields extends EncoderFields {
  /**
   * Side of the square input. Default: patch size times grid; only needed where the grid leaves a rest
   * (SigLIP-384 with patches of 14: 27 patches and 6 pixels that nobody looks at).
   */
  image_px?: number;
  /** Blocks at the end that are not run. Default: 0 for "clip" and "siglip_hf", 1 for the timm layouts. */
  skip_blocks?: number;
}

/**
 * Names of Hugging Face: embeddings.patch_embedding.weight, embeddings.position_embedding.weight,
 * encoder.layers.N.{layer_norm1,self_attn.{q,k,v,out}_proj,layer_norm2,mlp.{fc1,fc2}}, post_layernorm; "clip" also
 * embeddings.class_embedding and pre_layrnorm.
 */
export interface ClipEncoder extends SizedFields {
  kind: "clip";
  /** Default "quick". */
  activation?: Activation;
  /** post_layernorm behind the last block that runs. Default false (VisualRWKV and LLaVA leave it out). */
  post_norm?: boolean;
}

/** The same names without class token and pre_layrnorm; the patch convolution has a bias. SigLIP 1 and 2. */
export interface SiglipHfEncoder extends SizedFields {
  kind: "siglip_hf";
  /** Default "tanh". */
  activation?: Activation;
  /** Default true (VisualRWKV v7.01 and later). */
  post_norm?: boolean;
}

/** Names of timm: pos_embed, patch_embed.proj, blocks.N.{norm1,attn.{qkv,proj},norm2,mlp.{fc1,fc2}}. */
export interface SiglipTimmEncoder extends SizedFields {
  kind: "siglip_timm";
  /** Default "erf". */
  activation?: Activation;
}

/** timm, with cls_token, reg_token and blocks.N.{ls1,ls2}.gamma. Exact GELU. */
export interface DinoEncoder extends SizedFields {
  kind: "dino_timm";
}

/**
 * SAM's image encoder with its neck and the lossless 2x2 down-sampler: pos_embed [1,G,G,C], patch_embed.proj,
 * blocks.N.{norm1,attn.{qkv,proj,rel_pos_h,rel_pos_w},norm2,mlp.{lin1,lin2}}, neck.{0,1,2,3}. A block whose tables
 * have 2 G - 1 rows looks everywhere, one whose tables have 2 w - 1 rows into windows of w.
 */
export interface SamEncoder extends EncoderFields {
  kind: "sam";
}

export type Encoder = ClipEncoder | SiglipHfEncoder | SiglipTimmEncoder | DinoEncoder | SamEncoder;

/**
 * all: every patch. adaptive: `vectors` (a square number) cells, torch's adaptive average pooling. grid: v6.0's
 * --grid_size: -1 all patches, 0 none (the class vector only), 1 their mean, g >= 2 averages with kernel = stride =
 * floor(side / g).
 */
export type Pooling =
  | { kind: "all" }
  | { kind: "adaptive"; vectors: number }
  | { kind: "grid"; grid_size: number };

/**
 * What turns the features f into vectors; tensor names follow `prefix` (released: "proj."). Matrices are [out, in].
 *
 * - linear: W f (+ bias where the checkpoint has one); `weight`, `bias`.
 * - gate_after (HD, v6.20, v6.21): O (p * sigmoid(G p)), p = P f; `proj.weight`, `gate.weight`, `o_proj.weight`.
 * - relu (UHD): O relu(P f); `proj.weight`, `o_proj.weight`; a stored gate is not used.
 * - gate_before (v6.23, v7): LN(O (f * sigmoid(G f))); `gate.weight`, `o_proj.weight`, `ln_v.{weight,bias}`.
 */
export interface Projector {
  kind: "linear" | "gate_after" | "relu" | "gate_before";
  prefix: string;
  /** Of the projector's own norm. Default 1e-5. */
  norm_epsilon?: number;
}

export interface TowerPlan {
  /**
   * Their features are put side by side for each patch, in this order; all must have the same grid. Released three
   * tower models: [dino_timm, siglip_timm, sam].
   */
  encoders: readonly [Encoder, ...Encoder[]];
  /**
   * whole_and_quarters (UHD): five pictures for one: itself, then top-left, top-right, bottom-left, bottom-right.
   * The quarters' grids are halved by averaging and put together again; features are [whole …, quarters …].
   */
  views: "whole" | "whole_and_quarters";
  /** The class token as one more vector: v5.0 first, v6.0 last. "none" unless there is one encoder, of kind "clip". */
  class_vector: "none" | "first" | "last";
  /** Of the patches, before the projector. */
  pooling: Pooling;
  projector: Projector;
}

/** One tensor of the checkpoint, row-major. */
export interface TowerTensor {
  readonly shape: readonly number[];
  /** All of it as float32. Called once; the values are let go of as soon as they are written. */
  read(): Promise<Float32Array>;
}

/** By the checkpoint's own name; undefined when there is none of that name. */
export type TowerTensors = (name: string) => TowerTensor | undefined;

/**
 * fp32.
 * fp16: matrices are stored as float16, half the disk; a processor computes in float32 all the same, and holds them as
 * such.
 * int8: the linear layers of the blocks are quantised, a scale per column; their inputs too, at run time, with one scale
 * for everything in one run, so that pictures of one batch change each other's vectors a little. Patches, norms,
 * attention scores, pooling and projector stay float32.
 */
export type WeightFormat = "fp32" | "fp16" | "int8";

export interface WriteOptions {
  weights: WeightFormat;
  /** Of the bytes of weights. */
  onProgress?: (done_bytes: number, total_bytes: number) => void;
  /** A model with no more weights than this stays one file. Default 16 MiB. */
  one_file_bytes_max?: number;
  /**
   * Scores of one attention at most, over all views of one picture; more are computed in pieces (SAM's 4096 x 4096 for
   * 12 heads would be 805 MB at once). Default 128 MiB.
   */
  scores_bytes_max?: number;
}

export interface TowerInput {
  /** "rgb", or "rgb_448" and so on when the encoders want several sizes: uint8 [N * views, H, W, 3]. */
  name: string;
  width_px: number;
  height_px: number;
  /** Pictures of one frame: 1 or 5. */
  views: number;
}

/** What the shapes tell before anything is written. */
export interface TowerOutline {
  /** Smallest first. */
  inputs: TowerInput[];
  /** K. */
  vectors: number;
  /** D. */
  vector_width: number;
  /** Side of the patch grid before pooling. */
  grid: number;
  /** Of the weights in the file. */
  weight_bytes: number;
  /** Names of the tensors that go into the tower. */
  tensors_used: string[];
}

export interface WrittenTower extends TowerOutline {
  /** The model first, then its data, if that is a file of its own (`PATH.data`). */
  files: { path: string; bytes: number; sha256: string }[];
}
