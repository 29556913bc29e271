// Frames in front of the session, oldest first: while one run is under way the others gather, and the next run
// takes as many as pay. Must not know workers or models.
import { VisionError } from "./errors.ts";
import type { RunAnswer } from "./messages.ts";

interface WaitingFrame {
  rgb: ArrayBuffer;
  resolve(vectors: Float32Array): void;
  reject(error: VisionError): void;
}

/** One inference of some frames; rejects with VisionError or another Error. */
export type RunFrames = (frames: ArrayBuffer[]) => Promise<RunAnswer>;

export class FrameQueue {
  /** Frames of one run at most. */
  batch_frames = 1;
  readonly stats = { frames: 0, runs: 0, batch_frames_largest: 0, run_ms_total: 0 };
  readonly #waiting_max: number;
  #waiting: WaitingFrame[] = [];
  #run: RunFrames | undefined;
  #running = false;

  constructor(waiting_max: number) {
    this.#waiting_max = waiting_max;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** From now on frames go to `run`. */
  open(run: RunFrames): void {
    this.#run = run;
    void this.#pump();
  }

  /** Nothing runs any more; what waits is rejected. The run under way rejects by itself. */
  close(error: VisionError): void {
    this.#run = undefined;
    for (const frame of this.#waiting.splice(0)) frame.reject(error);
  }

  /** K x D floats of one frame. `rgb` is copied before this returns. Rejects with VisionError. */
  put(rgb: Uint8Array): Promise<Float32Array> {
    if (this.#waiting.length >= this.#waiting_max) {
      return Promise.reject(
        new VisionError("vision_busy", `Cannot encode frame: ${this.#waiting.length} frames wait`),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ rgb: new Uint8Array(rgb).buffer, resolve, reject });
      void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (let run = this.#run; run !== undefined && this.#waiting.length > 0; run = this.#run) {
      await this.#runBatch(run, this.#waiting.splice(0, this.batch_frames));
    }
    this.#running = false;
  }

  /** Never rejects: every frame of the batch hears of its end. */
  async #runBatch(run: RunFrames, batch: WaitingFrame[]): Promise<void> {
    try {
      const answer = await run(batch.map((frame) => frame.rgb));
      if (!answer.finite) throw new VisionError("vision_output", "Vision tower answered NaN or infinity");
      this.#count(batch.length, answer.run_ms);
      const frame_bytes = answer.vectors.byteLength / batch.length;
      batch.forEach((frame, index) => {
        const own = batch.length === 1
          ? answer.vectors
          : answer.vectors.slice(frame_bytes * index, frame_bytes * (index + 1));
        frame.resolve(new Float32Array(own));
      });
    } catch (cause) {
      const error = cause instanceof VisionError
        ? cause
        : new VisionError("vision_output", `Vision tower failed: ${(cause as Error).message}`, { cause });
      for (const frame of batch) frame.reject(error);
    }
  }

  #count(frames: number, run_ms: number): void {
    this.stats.runs++;
    this.stats.frames += frames;
    this.stats.run_ms_total += run_ms;
    this.stats.batch_frames_largest = Math.max(this.stats.batch_frames_largest, frames);
  }
}
