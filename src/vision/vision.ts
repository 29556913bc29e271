// A frame becomes vectors: one ONNX session in a Worker, shared by all streams. Owns its opening, proving and coming
// back after a crash.
// Satisfies the pipeline's `Vision` without importing it. Must not know states, captions or bundles.
import { type BatchTrial, tryBatches } from "./batch_trial.ts";
import { VisionError } from "./errors.ts";
import { FrameQueue } from "./frame_queue.ts";
import { vision_limits } from "./limits.ts";
import type { OpenAnswer, Provider, Refusal, RunAnswer } from "./messages.ts";
import { findMisfits, takesBatches, type TowerShape } from "./tower_contract.ts";
import { WorkerLink, WorkerRefusal } from "./worker_link.ts";

export interface VisionOptions extends TowerShape {
  model_path: string;
  /** Threads of the session. */
  threads: number;
  /** Tried in this order; default cuda, webgpu, cpu. */
  providers?: readonly Provider[];
  /** Frames of one run at most, where batching pays. Default 8. */
  batch_max?: number;
  /** Frames that may wait. Default 256. */
  queue_max?: number;
  /** A run that takes longer counts as a crash. Default 120 000. */
  run_ms_max?: number;
  /** One line for the log. */
  log: (line: string) => void;
  /** For tests: another worker. */
  spawn?: () => Worker;
  /** For tests: another wait before a lost worker is opened anew. Ends at once when the signal aborts. */
  sleep?: (duration_ms: number, signal: AbortSignal) => Promise<void>;
}

export interface VisionStats {
  frames: number;
  runs: number;
  /** Frames of the largest run so far. */
  batch_frames_largest: number;
  /** Frames that wait now. */
  waiting: number;
  /** Session time, all runs together; divide by `runs` or `frames`. */
  run_ms_total: number;
  /** Whether batching pays on this machine, and the measurement behind it. */
  batching: BatchTrial;
  /** Times the worker was opened anew. */
  reopened: number;
}

/** Resolves when the model is loaded, checked and measured. Throws VisionError `vision_model` when it is no tower. */
export async function openVision(options: VisionOptions): Promise<OnnxVision> {
  const vision = new OnnxVision(options);
  await vision.reopen();
  return vision;
}

export class OnnxVision {
  readonly width_px: number;
  readonly height_px: number;
  readonly vectors_per_frame: number;
  /** What runs the tower. */
  provider: Provider = "cpu";
  /** Providers tried before, with the reason each was refused. */
  refusals: Refusal[] = [];

  readonly #options: VisionOptions;
  readonly #providers: readonly Provider[];
  readonly #batch_max: number;
  readonly #run_ms_max: number;
  readonly #frame_bytes: number;
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
    this.vectors_per_frame = options.vectors_per_frame;
    this.#frame_bytes = options.width_px * options.height_px * 3;
  }

  /** False while no worker is there: `encode` rejects at once. It comes back by itself, unless closed. */
  get usable(): boolean {
    return this.#link !== undefined;
  }

  /** K x D floats. `rgb` is copied before this returns. Rejects with VisionError. */
  encode(rgb: Uint8Array): Promise<Float32Array> {
    if (this.#link === undefined) return Promise.reject(this.#closed ?? this.#unusable);
    if (rgb.length === this.#frame_bytes) return this.#queue.put(rgb);
    const wanted = `${this.width_px} x ${this.height_px} x 3 = ${this.#frame_bytes}`;
    return Promise.reject(
      new VisionError("vision_input", `Cannot encode frame: ${rgb.length} bytes, wanted are ${wanted}`),
    );
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
    this.#queue.open((frames) => this.#run(link, frames));
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
    const misfits = findMisfits(opened.inputs, opened.outputs, this.#options);
    if (misfits.length > 0) throw new WorkerRefusal(misfits.join("; "));
    const run = async (frames: number) => {
      const blank = Array.from(
        { length: frames },
        (_, index) => new Uint8Array(this.#frame_bytes).fill(40 * index).buffer,
      );
      const began_ms = performance.now(); // the way to the worker and back counts: a batch saves it, too
      await this.#run(link, blank);
      return performance.now() - began_ms;
    };
    const batches = takesBatches(opened.inputs) && this.#batch_max >= vision_limits.trial_frames;
    this.#trial = await tryBatches(run, batches);
    this.#queue.batch_frames = this.#trial.pays ? this.#batch_max : 1;
  }

  async #run(link: WorkerLink, frames: ArrayBuffer[]): Promise<RunAnswer> {
    const { height_px, width_px, vectors_per_frame, vector_width } = this.#options;
    const answer = await link.ask({ kind: "run", frames, height_px, width_px }, this.#run_ms_max, frames);
    const wanted = [frames.length, vectors_per_frame, vector_width];
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

function spawnWorker(): Worker {
  keepQuiet();
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "vision" });
}

/**
 * ONNX Runtime 1.30 reports its use to its maker, and writes log files of that, unless this variable is set before it
 * is loaded. What a camera's owner runs is nobody's business.
 */
function keepQuiet(): void {
  try {
    Deno.env.set("ORT_DISABLE_TELEMETRY", "1");
  } catch (error) {
    // Without permission for the environment whoever started us has to set it, as the launcher does.
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}
