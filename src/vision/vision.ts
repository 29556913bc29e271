// A frame becomes vectors: one ONNX session in a Worker, shared by all streams. Owns its opening, proving and coming
// back after a crash.
// Satisfies the pipeline's `Vision` without importing it. Must not know states, captions or bundles.
import { type BatchTrial, tryBatches } from "./batch_trial.ts";
import { VisionError } from "./errors.ts";
import { FrameQueue, type QueueOptions } from "./frame_queue.ts";
import { vision_limits } from "./limits.ts";
import type { OpenAnswer, Provider, Refusal, RunAnswer, SentPicture } from "./messages.ts";
import { sightOf, type VisionOptions, type VisionStats } from "./options.ts";
import { findPictureFault, type FramePair, type Picture } from "./picture.ts";
import { spawnWorker } from "./spawn_worker.ts";
import { findMisfits, takesBatches } from "./tower_contract.ts";
import { countTiles, countViews, findSightFault, type Sight } from "./views.ts";
import { WorkerLink, WorkerRefusal } from "./worker_link.ts";

export type { VisionOptions, VisionStats };

/** Resolves when the model is loaded, checked and measured. Throws VisionError `vision_model` when it is no tower. */
export async function openVision(options: VisionOptions): Promise<OnnxVision> {
  const vision = new OnnxVision(options);
  await vision.reopen();
  return vision;
}

export class OnnxVision {
  readonly width_px: number;
  readonly height_px: number;
  /** What runs the tower. */
  provider: Provider = "cpu";
  /** Providers tried before, with the reason each was refused. */
  refusals: Refusal[] = [];

  readonly #options: VisionOptions;
  readonly #providers: readonly Provider[];
  readonly #batch_max: number;
  /** Of one view of one tile. */
  #run_ms_max: number;
  readonly #frame_bytes: number;
  /** Its inputs get their names when the model is opened. */
  #sight: Sight;
  /** K of one tile, 0 until it is known. */
  #tile_vectors: number;
  readonly #queue: FrameQueue;
  #link: WorkerLink | undefined;
  /** Why nothing can be encoded now; meaningful while there is no link. */
  #unusable: VisionError = new VisionError("vision_closed", "Vision is not open");
  #closed: VisionError | undefined;
  #opening: Promise<void> | undefined;
  /** The worker that is being opened. */
  #opening_link: WorkerLink | undefined;
  #recovering = false;
  #recovered: Promise<void> = Promise.resolve();
  #reopen_wait_ms: number = vision_limits.reopen_first_ms;
  #opened_at_ms = 0;
  readonly #stop = new AbortController();
  #opened_count = 0;
  #trial: BatchTrial = { pays: false, single_ms: 0, finding: "not measured yet" };

  /** Use openVision. */
  constructor(options: VisionOptions) {
    this.#options = options;
    this.#providers = options.providers ?? ["cuda", "webgpu", "cpu"];
    this.#batch_max = options.batch_max ?? vision_limits.batch_max;
    this.#run_ms_max = options.run_ms_max ?? vision_limits.run_ms_max;
    this.#queue = new FrameQueue(options.queue_max ?? vision_limits.queue_max);
    this.width_px = options.width_px;
    this.height_px = options.height_px;
    this.#frame_bytes = options.width_px * options.height_px * 3;
    this.#sight = sightOf(options);
    this.#tile_vectors = options.vectors_per_frame ?? 0;
  }

  /** Vectors of one frame, all its tiles together. */
  get vectors_per_frame(): number {
    return this.#tile_vectors * countTiles(this, this.#sight);
  }

  /** False while no worker is there: `encode` rejects at once. It comes back by itself, unless closed. */
  get usable(): boolean {
    return this.#link !== undefined;
  }

  /**
   * K x D floats. `before` is the frame one tick before, for a tower that sees both; left out, the frame is its own. The
   * pixels are copied before this returns. Rejects with VisionError.
   */
  encode(rgb: Uint8Array, before?: Uint8Array): Promise<Float32Array> {
    if (this.#link === undefined) return Promise.reject(this.#closed ?? this.#unusable);
    const { width_px, height_px } = this;
    const misfit = [rgb, before].find((one) => one !== undefined && one.length !== this.#frame_bytes);
    if (misfit === undefined) {
      const pair = this.#sight.views === "before_and_now" ? { before } : {};
      return this.#put({ rgb, ...pair, width_px, height_px });
    }
    const wanted = `${width_px} x ${height_px} x 3 = ${this.#frame_bytes}`;
    return Promise.reject(
      new VisionError("vision_input", `Cannot encode frame: ${misfit.length} bytes, wanted are ${wanted}`),
    );
  }

  /**
   * tiles x K x D floats of a picture of any size. Its pixels are copied before this returns. A patient one lets those
   * that are not go first. Rejects with VisionError.
   */
  encodePicture(picture: Picture, options?: QueueOptions): Promise<Float32Array> {
    if (this.#link === undefined) return Promise.reject(this.#closed ?? this.#unusable);
    const fault = findPictureFault(picture);
    return fault === undefined ? this.#put(picture, options) : Promise.reject(fault);
  }

  #put(picture: FramePair, options?: QueueOptions): Promise<Float32Array> {
    return this.#queue.put(picture, countTiles(picture, this.#sight), options);
  }

  stats(): VisionStats {
    const { stats, waiting } = this.#queue;
    return { ...stats, waiting, batching: this.#trial, reopened: Math.max(0, this.#opened_count - 1) };
  }

  /**
   * Starts a fresh worker with the same model, at once. Waiting frames are given up. After a loss this happens by
   * itself; when it fails, and the model was open before, it is tried again.
   */
  reopen(): Promise<void> {
    this.#opening ??= this.#open().finally(() => this.#opening = undefined);
    return this.#opening;
  }

  async #open(): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed;
    const fault = findSightFault(this.#sight);
    if (fault !== undefined) throw this.#unusable = this.#modelError(new Error(fault));
    const { model_path, threads, log } = this.#options;
    this.#drop(new VisionError("vision_lost", "Vision is being opened anew"));
    const link = this.#opening_link = new WorkerLink(this.#options.spawn?.() ?? spawnWorker());
    try {
      await Deno.stat(model_path);
      const request = { kind: "open", model_path, providers: this.#providers, threads } as const;
      const opened = await link.ask(request, this.#run_ms_max);
      for (const { provider, reason } of opened.refusals) log(`vision: ${provider} refused: ${reason}`);
      await this.#prove(link, opened);
      if (this.#closed !== undefined) throw this.#closed;
      this.provider = opened.provider;
      this.refusals = opened.refusals;
    } catch (cause) {
      const error = this.#modelError(cause);
      link.end(error);
      if (this.#opened_count > 0) this.#recoverFrom(error);
      else this.#unusable = error;
      throw error;
    } finally {
      this.#opening_link = undefined;
    }
    this.#link = link;
    link.onLost = (error) => {
      // Only losses that follow soon make the next wait longer: a frame may kill every worker that sees it.
      const lived_ms = performance.now() - this.#opened_at_ms;
      if (lived_ms >= vision_limits.reopen_forget_ms) this.#reopen_wait_ms = vision_limits.reopen_first_ms;
      this.#drop(error);
      this.#recoverFrom(error);
    };
    this.#queue.open((pictures, tiles) => this.#run(link, pictures, tiles, this.#sight));
    this.#opened_count++;
    this.#opened_at_ms = performance.now();
    log(`vision: "${model_path}" on ${this.provider}, ${threads} threads; ${this.#trial.finding}`);
  }

  /** What was open once comes back: whatever the reason, callers hear that trying again is worth it. */
  #recoverFrom(error: VisionError): void {
    if (this.#closed !== undefined) return;
    const message = `Vision worker was lost and cannot be opened anew yet: ${error.message}`;
    this.#unusable = error.code === "vision_lost"
      ? error
      : new VisionError("vision_lost", message, { cause: error });
    if (this.#recovering) return;
    this.#recovering = true;
    this.#recovered = this.#recover().finally(() => this.#recovering = false);
  }

  /** Never rejects. */
  async #recover(): Promise<void> {
    const { log, sleep = sleepFor } = this.#options;
    const { signal } = this.#stop;
    while (this.#link === undefined && !signal.aborted) {
      const wait_ms = this.#reopen_wait_ms;
      this.#reopen_wait_ms = Math.min(vision_limits.reopen_max_ms, 2 * wait_ms);
      log(`vision: ${this.#unusable.message}; opened anew in ${wait_ms / 1_000} s`);
      await sleep(wait_ms, signal);
      if (this.#link === undefined && !signal.aborted) await this.reopen().catch(() => {});
    }
  }

  /** Ends the worker for good; waiting frames are rejected. May be called twice. */
  async close(): Promise<void> {
    const link = this.#link;
    const closed = this.#closed ??= new VisionError("vision_closed", "Vision is closed");
    this.#link = undefined;
    this.#queue.close(closed);
    this.#stop.abort();
    // A run under way is waited for: a thread ended inside the session would leave its memory behind.
    const timer = setTimeout(() => this.#opening_link?.end(closed), vision_limits.close_ms_max);
    await this.#opening?.catch(() => {});
    clearTimeout(timer);
    await this.#recovered;
    if (link === undefined) return;
    await link.ask({ kind: "close" }, vision_limits.close_ms_max).catch(() => {});
    link.end(closed);
  }

  /** Declared shapes first, then a real run: what a model declares is not always what it answers. */
  async #prove(link: WorkerLink, opened: OpenAnswer): Promise<void> {
    const { width_px, height_px, vector_width } = this.#options;
    const sight = this.#sight = sightOf(this.#options, opened.inputs[0]?.name);
    const { inputs } = sight;
    const vectors = this.#tile_vectors || undefined;
    const shape = { inputs, views: countViews(sight), vectors, vector_width };
    const misfits = findMisfits(opened.inputs, opened.outputs, shape);
    if (misfits.length > 0) throw new WorkerRefusal(misfits.join("; "));
    // Frames of one tile each, whatever the sight: what a batch saves is a matter of the graph.
    const untiled = { ...sight, tiling: null };
    const run = async (frames: number) => {
      const blank = Array.from({ length: frames }, (_, index) => {
        const rgb = new Uint8Array(this.#frame_bytes).fill(40 * index).buffer;
        return { rgb, width_px, height_px };
      });
      this.#queue.batch_tiles = frames;
      this.#run_ms_max = vision_limits.first_run_ms_max / shape.views;
      const began_ms = performance.now(); // the way to the worker and back counts: a batch saves it, too
      await this.#run(link, blank, frames, untiled);
      return performance.now() - began_ms;
    };
    const batches = takesBatches(opened.inputs) && this.#batch_max >= vision_limits.trial_frames;
    this.#trial = await tryBatches(run, batches);
    this.#run_ms_max = this.#options.run_ms_max ?? vision_limits.run_ms_max;
    const { slow_run_ms, slow_run_factor } = vision_limits;
    const view_ms = this.#trial.single_ms / shape.views;
    if (view_ms > slow_run_ms) this.#run_ms_max = Math.max(this.#run_ms_max, slow_run_factor * view_ms);
    this.#queue.batch_tiles = this.#trial.pays ? this.#batch_max : 1;
  }

  /** Nobody else runs while the batch of the queue is being found out: it is closed then. */
  async #run(link: WorkerLink, pictures: SentPicture[], tiles: number, sight: Sight): Promise<RunAnswer> {
    const { vector_width } = this.#options;
    const request = { kind: "run", pictures, sight, batch_tiles: this.#queue.batch_tiles } as const;
    const passes = Math.ceil(tiles / pictures.length) * countViews(sight);
    const pixels = pictures.flatMap(({ rgb, before }) => before === undefined ? [rgb] : [rgb, before]);
    const answer = await link.ask(request, passes * this.#run_ms_max, pixels);
    const [, vectors] = answer.shape;
    this.#tile_vectors ||= vectors;
    const wanted = [tiles, this.#tile_vectors, vector_width];
    if (answer.shape.join() !== wanted.join()) {
      throw new WorkerRefusal(`it answers [${answer.shape.join(", ")}], wanted is [${wanted.join(", ")}]`);
    }
    return answer;
  }

  #drop(error: VisionError): void {
    this.#link?.end(error);
    this.#link = undefined;
    this.#unusable = error;
    this.#queue.close(error);
  }

  #modelError(cause: unknown): VisionError {
    if (cause instanceof VisionError) return cause;
    const reason = cause instanceof Deno.errors.NotFound ? "not found" : (cause as Error).message;
    return new VisionError(
      "vision_model",
      `Cannot open vision tower "${this.#options.model_path}": ${reason}`,
      { cause },
    );
  }
}

function sleepFor(duration_ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, duration_ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
