// What the training stages need of the native trainer, in their own words; ffi/trainer.ts satisfies it without importing
// it. Verbs and input names: native/train/include/rwkv_train.h. Must not know FFI, files or stages.

/** Row-major. A scalar has no dims. */
export interface NamedTensor {
  dims: readonly number[];
  data: Float32Array;
}

export type InputData = Float32Array | Int32Array | Uint8Array;

export interface BatchInput {
  dims: readonly number[];
  data: InputData;
}

/** By the names of rwkv_train.h. */
export type Batch = Readonly<Record<string, BatchInput>>;

export type TensorPart = "value" | "moment1" | "moment2" | "gradient";

export interface Trainer extends Disposable {
  putTensor(name: string, tensor: NamedTensor, part?: TensorPart): void;
  /** `elements`: as many floats as the tensor has. */
  readTensor(name: string, elements: number, part?: TensorPart): Float32Array<ArrayBuffer>;
  /** lr_scale 0 freezes the tensor. */
  setGroup(name: string, group: { lr_scale: number; weight_decay: number }): void;
  setNumber(name: string, value: number): void;
  /** Replaces all inputs. */
  putBatch(batch: Batch): void;
  /** Forward and backward; adds to the gradients. Rejects with code `number` when the loss is not finite. */
  accumulate(): Promise<void>;
  /** Clip, one optimizer step, gradients to zero. */
  apply(): Promise<void>;
  /** Forward only. */
  evaluate(): Promise<void>;
  readOutput(name: string): NamedTensor;
  /** The state that goes on into the next batch; undefined when there is none. */
  readCarried(): { rows: number; data: Float32Array<ArrayBuffer> } | undefined;
  putCarried(rows: number, data: Float32Array): void;
  close(): void;
}
