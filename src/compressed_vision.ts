// A vision whose vectors go through a few RWKV-7 blocks that shorten them (the visual token compressor of v7.03 and
// v7.04, spec 2.9). Owns the arithmetic around the blocks and their order: one picture at a time, because they share one
// state. Satisfies the pipeline's `Vision`. Must not know files or streams.
import type { EncodeOptions, Picture, SpanGrid, Vision } from "./pipeline/ports.ts";
import { VisionError } from "./vision/errors.ts";
import { vision_limits } from "./vision/limits.ts";

/** What is needed of the engine that holds the blocks; nobody else uses it. */
export interface BlockEngine {
  readonly info: { readonly width: number };
  open(): BlockState;
  run(): Promise<void>;
  close(): Promise<void>;
}

export interface BlockState {
  reset(): void;
  keepVectors(keep: boolean): void;
  putSpan(vectors: Float32Array, grid: SpanGrid): void;
  readonly pending: number;
  /** Rows of `width` floats behind ln_out, in the order of the positions that were put. */
  takeVectors(): Float32Array;
  close(): void;
}

export interface ClosableVision extends Vision {
  close(): Promise<void>;
}

export interface CompressorOptions {
  /** Vectors of a picture behind the compressor, whatever the number of its tiles. */
  vectors_per_frame: number;
  /** Zero vectors are put in front up to a multiple of this. */
  padding: number;
}

export class CompressedVision<Tower extends ClosableVision> implements ClosableVision {
  readonly width_px: number;
  readonly height_px: number;
  readonly vectors_per_frame: number;
  readonly tower: Tower;
  readonly #blocks: BlockEngine;
  readonly #state: BlockState;
  readonly #padding: number;
  /** The picture in front; never rejects. */
  #last: Promise<void> = Promise.resolve();
  #inside = 0;
  #closing: Promise<void> | undefined;

  /** Takes over both and closes them. `blocks` has room for one state at least. */
  constructor(tower: Tower, blocks: BlockEngine, { vectors_per_frame, padding }: CompressorOptions) {
    this.tower = tower;
    this.width_px = tower.width_px;
    this.height_px = tower.height_px;
    this.vectors_per_frame = vectors_per_frame;
    this.#blocks = blocks;
    this.#padding = padding;
    this.#state = blocks.open();
    this.#state.keepVectors(true);
  }

  encode(rgb: Uint8Array, before?: Uint8Array): Promise<Float32Array> {
    return this.#through(() => this.tower.encode(rgb, before));
  }

  encodePicture(picture: Picture, options?: EncodeOptions): Promise<Float32Array> {
    return this.#through(() => this.tower.encodePicture(picture, options));
  }

  /** Waits for the picture inside the blocks; those behind it are rejected. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.tower.close();
    await this.#last;
    this.#state.close();
    await this.#blocks.close();
  }

  async #through(see: () => Promise<Float32Array>): Promise<Float32Array> {
    if (this.#inside >= vision_limits.queue_max) {
      throw new VisionError("vision_busy", `Cannot encode frame: ${this.#inside} frames wait`);
    }
    this.#inside++;
    try {
      const vectors = await see();
      const shortened = this.#last.then(() => this.#shorten(vectors));
      this.#last = shortened.then(() => {}, () => {});
      return await shortened;
    } finally {
      this.#inside--;
    }
  }

  async #shorten(vectors: Float32Array): Promise<Float32Array> {
    if (this.#closing !== undefined) throw new VisionError("vision_closed", "Vision is closed");
    const { width } = this.#blocks.info;
    const padded = padFront(vectors, width, this.#padding);
    const rows = padded.length / width;
    let seen: Float32Array;
    try {
      this.#state.reset(); // each picture is a sequence of its own
      this.#state.putSpan(padded, { scan: "bidirection", rows: 1, columns: rows });
      while (this.#state.pending > 0) await this.#blocks.run();
      seen = this.#state.takeVectors();
    } catch (cause) {
      throw new VisionError("vision_output", `Visual compressor failed: ${(cause as Error).message}`, {
        cause,
      });
    }
    if (seen.length !== padded.length) {
      const counts = `${seen.length / width} of ${rows} vectors`;
      throw new VisionError("vision_output", `Visual compressor failed: it answered ${counts}`);
    }
    return poolRows(seen.subarray(padded.length - vectors.length), width, this.vectors_per_frame);
  }
}

/** Rows of zeros in front, so that there is a multiple of `multiple` rows. */
export function padFront(vectors: Float32Array, width: number, multiple: number): Float32Array {
  const rows = vectors.length / width;
  const padded = new Float32Array(Math.ceil(rows / multiple) * multiple * width);
  padded.set(vectors, padded.length - vectors.length);
  return padded;
}

/**
 * Adaptive average pooling along the rows: of n rows, row i of `count` is the mean of rows floor(i n / count) up to
 * ceil((i + 1) n / count), that one left out. Neighbours overlap where n is no multiple; with fewer rows than `count`
 * some appear twice.
 */
export function poolRows(vectors: Float32Array, width: number, count: number): Float32Array {
  const rows = vectors.length / width;
  const pooled = new Float32Array(count * width);
  const sums = new Float64Array(width);
  for (let index = 0; index < count; index++) {
    const first = Math.floor(index * rows / count);
    const end = Math.ceil((index + 1) * rows / count);
    sums.fill(0);
    for (let row = first; row < end; row++) {
      for (let channel = 0; channel < width; channel++) sums[channel] += vectors[row * width + channel];
    }
    for (let channel = 0; channel < width; channel++) {
      pooled[index * width + channel] = sums[channel] / (end - first);
    }
  }
  return pooled;
}
