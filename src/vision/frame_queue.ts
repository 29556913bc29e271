// Frames and pictures in front of the session, oldest first, and patient ones behind the others: while one run is under
// way the others gather, and the next run takes as many as pay. Must not know workers or models.
import { VisionError } from "./errors.ts";
import { vision_limits } from "./limits.ts";
import type { RunAnswer, SentPicture } from "./messages.ts";
import type { FramePair } from "./picture.ts";

interface Waiting {
  picture: SentPicture;
  tiles: number;
  patient: boolean;
  resolve(vectors: Float32Array): void;
  reject(error: VisionError): void;
}

export interface QueueOptions {
  /** Those that are not go first, so many runs as `runs_before_picture_max`. */
  patient?: boolean;
}

/** One inference of some pictures that have `tiles` tiles together; rejects with VisionError or another Error. */
export type RunPictures = (pictures: SentPicture[], tiles: number) => Promise<RunAnswer>;

export class FrameQueue {
  /** Tiles of one run at most; a picture that has more goes alone. */
  batch_tiles = 1;
  readonly stats = { frames: 0, runs: 0, batch_frames_largest: 0, run_ms_total: 0 };
  readonly #waiting_max: number;
  readonly #bytes_max: number;
  #waiting: Waiting[] = [];
  #waiting_bytes = 0;
  /** Runs that went before the oldest patient one. */
  #passed_count = 0;
  #run: RunPictures | undefined;
  #running = false;

  constructor(waiting_max: number, bytes_max: number = vision_limits.queue_bytes_max) {
    this.#waiting_max = waiting_max;
    this.#bytes_max = bytes_max;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** From now on pictures go to `run`. */
  open(run: RunPictures): void {
    this.#run = run;
    void this.#pump();
  }

  /** Nothing runs any more; what waits is rejected. The run under way rejects by itself. */
  close(error: VisionError): void {
    this.#run = undefined;
    this.#waiting_bytes = 0;
    for (const one of this.#waiting.splice(0)) one.reject(error);
  }

  /** tiles x K x D floats. The pixels are copied before this returns. Rejects with VisionError. */
  put(
    { rgb, before, width_px, height_px }: FramePair,
    tiles: number,
    { patient = false }: QueueOptions = {},
  ): Promise<Float32Array> {
    const bytes = rgb.length + (before?.length ?? 0);
    const too_many = this.#waiting.length >= this.#waiting_max ||
      (this.#waiting.length > 0 && this.#waiting_bytes + bytes > this.#bytes_max);
    if (too_many) {
      return Promise.reject(
        new VisionError("vision_busy", `Cannot encode frame: ${this.#waiting.length} frames wait`),
      );
    }
    return new Promise((resolve, reject) => {
      const picture = {
        rgb: new Uint8Array(rgb).buffer,
        before: before && new Uint8Array(before).buffer,
        ...{ width_px, height_px },
      };
      this.#waiting.push({ picture, tiles, patient, resolve, reject });
      this.#waiting_bytes += bytes;
      void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (let run = this.#run; run !== undefined && this.#waiting.length > 0; run = this.#run) {
      await this.#runBatch(run, this.#takeBatch());
    }
    this.#running = false;
  }

  /** The oldest of those whose turn it is, and those behind it that fit into the same run. */
  #takeBatch(): Waiting[] {
    const turn = this.#chooseTurn();
    const batch: Waiting[] = [];
    let tiles = 0;
    for (const one of this.#waiting) {
      if (one.patient !== turn) continue;
      tiles += one.tiles;
      if (batch.length > 0 && tiles > this.batch_tiles) break;
      batch.push(one);
    }
    this.#waiting = this.#waiting.filter((one) => !batch.includes(one));
    for (const { picture: { rgb, before } } of batch) {
      this.#waiting_bytes -= rgb.byteLength + (before?.byteLength ?? 0);
    }
    return batch;
  }

  /** True: of the patient. Somebody waits. */
  #chooseTurn(): boolean {
    const patient_count = this.#waiting.filter(({ patient }) => patient).length;
    const both = patient_count > 0 && patient_count < this.#waiting.length;
    if (both && this.#passed_count < vision_limits.runs_before_picture_max) {
      this.#passed_count++;
      return false;
    }
    this.#passed_count = 0;
    return patient_count > 0;
  }

  /** Never rejects: everyone of the batch hears of its end. */
  async #runBatch(run: RunPictures, batch: Waiting[]): Promise<void> {
    try {
      const all_tiles = batch.reduce((sum, { tiles }) => sum + tiles, 0);
      const answer = await run(batch.map(({ picture }) => picture), all_tiles);
      if (!answer.finite) throw new VisionError("vision_output", "Vision tower answered NaN or infinity");
      this.#count(batch.length, answer.run_ms);
      const tile_bytes = answer.vectors.byteLength / all_tiles;
      let begin = 0;
      for (const { tiles, resolve } of batch) {
        const end = begin + tiles * tile_bytes;
        resolve(new Float32Array(batch.length === 1 ? answer.vectors : answer.vectors.slice(begin, end)));
        begin = end;
      }
    } catch (cause) {
      const error = cause instanceof VisionError
        ? cause
        : new VisionError("vision_output", `Vision tower failed: ${(cause as Error).message}`, { cause });
      for (const one of batch) one.reject(error);
    }
  }

  #count(frames: number, run_ms: number): void {
    this.stats.runs++;
    this.stats.frames += frames;
    this.stats.run_ms_total += run_ms;
    this.stats.batch_frames_largest = Math.max(this.stats.batch_frames_largest, frames);
  }
}
