// What every container of weights looks like to the importer: named tensors that are read in pieces, never whole
// files. Types only. Must not know RWKV, bundles or what a container's bytes mean.

/** Element types that are plain numbers, little-endian. */
export type PlainType = "f64" | "f32" | "f16" | "bf16" | "i64" | "i32" | "i16" | "i8" | "u8" | "bool";
/** GGUF's block formats: several elements share a scale. */
export type BlockType =
  | "q4_0"
  | "q4_1"
  | "q5_0"
  | "q5_1"
  | "q8_0"
  | "q2_k"
  | "q3_k"
  | "q4_k"
  | "q5_k"
  | "q6_k";

export interface CheckpointTensor {
  /** As the file spells it, or as the importer renamed it. */
  readonly name: string;
  /** As the file spells it; only where that is not `name`. */
  readonly name_in_file?: string;
  readonly type: PlainType | BlockType;
  /** Outermost first, also for GGUF (whose own order is the other way round). */
  readonly shape: readonly number[];
  readonly elements: number;
  /** Bytes the elements take in the file. */
  readonly stored_bytes: number;
  /** Path of the file it stands in. */
  readonly file: string;
  /**
   * All elements in row-major order of `shape`, as float32 pieces of at most a few MB; strides and blocks are
   * resolved. Rejects with ImportError when the file is shorter than it says or cannot be read.
   */
  readFloats(): AsyncGenerator<Float32Array<ArrayBuffer>>;
  /**
   * The same elements as little-endian bytes of `type`, unconverted, for f32, f16 and bf16: copying keeps every bit.
   * Throws RangeError for other types.
   */
  readBytes(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

export interface CheckpointFile {
  readonly path: string;
  readonly bytes: number;
  readonly container: "torch" | "safetensors" | "gguf";
}

/** One checkpoint, which may be several files (two-file v5, shards). Closing gives the file handles back. */
export interface Checkpoint extends AsyncDisposable {
  readonly files: readonly CheckpointFile[];
  /** In the order of the files. A name that two files have is refused at opening. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** GGUF's key-value pairs, safetensors' __metadata__, a config.json beside the shards; values as they are. */
  readonly metadata: ReadonlyMap<string, unknown>;
}
