// One trainer: parameters, gradients and moments on a device. Puts, accumulates, applies, reads.
// Must not know stages, schedules, checkpoints or where tensors come from.

import { constants } from "./_train_symbols.ts";
import { openTrainLibrary, type TrainLibrary } from "./train_library.ts";
import { TrainerError } from "./trainer_errors.ts";

export interface TrainerOptions {
  /** Path of librwkv_train.so. */
  library_path: string;
  kind: "language" | "tower";
  /** auto: CUDA where the library has it, else the CPU. */
  device?: "auto" | "cpu" | "cuda";
  /** 1 to 256; results are the same bits only for the same number. */
  threads: number;
}

/** Row-major. A scalar has no dims. */
export interface TrainerTensor {
  dims: readonly number[];
  data: Float32Array;
}

export type TrainerPart = "value" | "moment1" | "moment2" | "gradient";

/** float32, int32 or uint8, by the class of its array. */
export interface TrainerInput {
  dims: readonly number[];
  data: Float32Array | Int32Array | Uint8Array;
}

type Buffer64 = BigUint64Array<ArrayBuffer>;

const rank_max = 5;
const sentence_bytes = 1024;
const encoder = new TextEncoder();
/** An empty array would cross as NULL: a number that is never read goes instead. */
const one_float = new Float32Array(1);

/** Made by openTrainer. Every verb throws TrainerError; "busy" while one that answers a promise is under way. */
export class NativeTrainer implements Disposable {
  readonly #library: TrainLibrary;
  readonly #trainer: bigint;
  #running: Promise<number> | undefined;
  #closed = false;

  /** Takes over an open trainer. Only openTrainer calls this. */
  constructor(library: TrainLibrary, trainer: bigint, readonly device: "cpu" | "cuda") {
    this.#library = library;
    this.#trainer = trainer;
  }

  /** Adds a parameter, overwrites it, or sets a moment of one that is there. Copied before this returns. */
  putTensor(name: string, { dims, data }: TrainerTensor, part: TrainerPart = "value"): void {
    checkElements(name, dims, data.length);
    const key = encoder.encode(name);
    this.#check(this.#library.rwkv_trainer_put_tensor(
      ...[this.#open, key, BigInt(key.length), constants[part]] as const,
      ...[sizes(dims), dims.length, pointable(data), BigInt(data.length)] as const,
    ));
  }

  /** `elements`: as many floats as the tensor has. */
  readTensor(name: string, elements: number, part: TrainerPart = "value"): Float32Array<ArrayBuffer> {
    const key = encoder.encode(name), out = new Float32Array(elements);
    this.#check(this.#library.rwkv_trainer_read_tensor(
      ...[this.#open, key, BigInt(key.length), constants[part], pointable(out), BigInt(elements)] as const,
    ));
    return out;
  }

  /** How a parameter is trained: its rate is lr · lr_scale (0: frozen), its decoupled decay weight_decay. */
  setGroup(name: string, { lr_scale, weight_decay }: { lr_scale: number; weight_decay: number }): void {
    const key = encoder.encode(name);
    const { rwkv_trainer_set_group } = this.#library;
    this.#check(rwkv_trainer_set_group(this.#open, key, BigInt(key.length), lr_scale, weight_decay));
  }

  /** A setting by its name in rwkv_train.h. */
  setNumber(name: string, value: number): void {
    const key = encoder.encode(name);
    this.#check(this.#library.rwkv_trainer_set_number(this.#open, key, BigInt(key.length), value));
  }

  /** Replaces all inputs. Copied before this returns. */
  putBatch(batch: Readonly<Record<string, TrainerInput>>): void {
    this.#check(this.#library.rwkv_trainer_clear_inputs(this.#open));
    for (const [name, { dims, data }] of Object.entries(batch)) {
      checkElements(name, dims, data.length);
      const key = encoder.encode(name);
      this.#check(this.#library.rwkv_trainer_put_input(
        ...[this.#open, key, BigInt(key.length), elementType(data)] as const,
        ...[sizes(dims), dims.length, pointable(data), BigInt(data.byteLength)] as const,
      ));
    }
  }

  /** Forward and backward on another thread. Code "number" when the loss is not finite. */
  accumulate(): Promise<void> {
    return this.#run("rwkv_trainer_accumulate");
  }

  /** Clips, one optimizer step, gradients to zero; on another thread. */
  apply(): Promise<void> {
    return this.#run("rwkv_trainer_apply");
  }

  /** Forward only, on another thread. */
  evaluate(): Promise<void> {
    return this.#run("rwkv_trainer_evaluate");
  }

  /** What the newest accumulate, apply or evaluate left under this name. */
  readOutput(name: string): { dims: number[]; data: Float32Array<ArrayBuffer> } {
    const key = encoder.encode(name), rank = new Uint32Array(1);
    const shape = new BigInt64Array(rank_max);
    this.#check(
      this.#library.rwkv_trainer_output_shape(this.#open, key, BigInt(key.length), shape, rank),
    );
    const dims = [...shape.subarray(0, rank[0]!)].map(Number);
    const out = new Float32Array(product(dims));
    this.#check(this.#library.rwkv_trainer_read_output(
      ...[this.#open, key, BigInt(key.length), pointable(out), BigInt(out.length)] as const,
    ));
    return { dims, data: out };
  }

  /** The state that goes on into the next batch; undefined when there is none. */
  readCarried(): { rows: number; data: Float32Array<ArrayBuffer> } | undefined {
    const rows: Buffer64 = new BigUint64Array(1), floats: Buffer64 = new BigUint64Array(1);
    this.#check(this.#library.rwkv_trainer_carried_floats(this.#open, rows, floats));
    if (floats[0] === 0n) return undefined;
    const data = new Float32Array(Number(floats[0]));
    this.#check(this.#library.rwkv_trainer_read_carried(this.#open, data, floats[0]!));
    return { rows: Number(rows[0]), data };
  }

  putCarried(rows: number, data: Float32Array): void {
    const { rwkv_trainer_put_carried } = this.#library;
    const count = BigInt(data.length);
    this.#check(rwkv_trainer_put_carried(this.#open, BigInt(rows), pointable(data), count));
  }

  /** Waits for what is under way before memory goes. Twice is fine. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const close = () => this.#library.rwkv_trainer_close(this.#trainer);
    if (this.#running) this.#running.then(close, close);
    else close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #open(): bigint {
    if (this.#closed) throw new TrainerError("misuse", "Cannot use the trainer: it is closed");
    return this.#trainer;
  }

  async #run(
    verb: "rwkv_trainer_accumulate" | "rwkv_trainer_apply" | "rwkv_trainer_evaluate",
  ): Promise<void> {
    const trainer = this.#open;
    if (this.#running) throw new TrainerError("busy", "Cannot run: a step is under way");
    this.#running = this.#library[verb](trainer);
    try {
      const status = await this.#running;
      if (!this.#closed) this.#check(status);
      else if (status !== 0) throw TrainerError.of(status, "The trainer was closed while it ran");
    } finally {
      this.#running = undefined;
    }
  }

  #check(status: number): void {
    if (status === 0) return;
    const bytes = new Uint8Array(sentence_bytes), length: Buffer64 = new BigUint64Array(1);
    this.#library.rwkv_trainer_sentence(this.#trainer, bytes, BigInt(bytes.length), length);
    const shown = bytes.subarray(0, Math.min(Number(length[0]), bytes.length));
    throw TrainerError.of(status, new TextDecoder().decode(shown));
  }
}

function product(dims: readonly number[]): number {
  return dims.reduce((all, size) => all * size, 1);
}

function sizes(dims: readonly number[]): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.from(dims.length > 0 ? dims : [0], BigInt);
}

/** The library sees only a pointer and a length: what does not fit is caught here, by name. */
function checkElements(name: string, dims: readonly number[], elements: number): void {
  if (dims.length > rank_max || product(dims) !== elements) {
    const sentence = `Cannot put "${name}": ${elements} elements do not fill [${dims.join(", ")}]`;
    throw new TrainerError("format", sentence);
  }
}

function elementType(data: TrainerInput["data"]): number {
  if (data instanceof Float32Array) return constants.float32;
  return data instanceof Int32Array ? constants.int32 : constants.uint8;
}

/** Buffers go across as they are; the types of TypeScript forbid shared memory, the runtime does not. */
function pointable<T extends Float32Array | Int32Array | Uint8Array>(data: T): BufferSource {
  return (data.length > 0 ? data : one_float) as BufferSource;
}

/** Opens the library and an empty trainer on a device. Leaves nothing open when it throws. */
export function openTrainer({ library_path, kind, device = "auto", threads }: TrainerOptions): NativeTrainer {
  const library = openTrainLibrary(library_path);
  if (!Number.isInteger(threads) || threads < 1 || threads > 256) {
    throw new TrainerError("misuse", `Cannot use ${threads} threads: it is not a whole number from 1 to 256`);
  }
  const out: Buffer64 = new BigUint64Array(1);
  const open = (on: "cpu" | "cuda") =>
    library.rwkv_trainer_new(constants[kind], constants[`device_${on}`], threads, out);
  if (device !== "cpu") {
    const status = open("cuda");
    if (status === 0) return new NativeTrainer(library, out[0]!, "cuda");
    const error = TrainerError.of(
      status,
      `Cannot train on CUDA: this machine or this build has no such device`,
    );
    if (device === "cuda" || error.code !== "no_device") throw error;
  }
  const status = open("cpu");
  if (status !== 0) throw TrainerError.of(status, `Cannot make a ${kind} trainer of ${threads} threads`);
  return new NativeTrainer(library, out[0]!, "cpu");
}
