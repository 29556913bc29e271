// A trainer in a few lines, for laws of the run that need no libtorch: pulls one parameter towards the "targets" of a
// batch, keeps moments and a carried state, and fails where it is told to. Must not know the run.
import type { Batch, NamedTensor, TensorPart, Trainer } from "../../src/train/ports.ts";

class NotFinite extends Error {
  readonly code = "number";
}

export class PlainTrainer implements Trainer {
  readonly tensors = new Map<string, Map<TensorPart, Float32Array<ArrayBuffer>>>();
  readonly numbers = new Map<string, number>();
  readonly groups = new Map<string, { lr_scale: number; weight_decay: number }>();
  readonly rates: number[] = [];
  carried: { rows: number; data: Float32Array<ArrayBuffer> } | undefined;
  applies = 0;
  closed = false;
  #batch: Batch = {};
  #outputs = new Map<string, number>();
  #gradients = new Map<string, number>();

  putTensor(name: string, { data }: NamedTensor, part: TensorPart = "value"): void {
    const parts = this.tensors.get(name) ?? new Map();
    parts.set(part, new Float32Array(data));
    this.tensors.set(name, parts);
  }
  readTensor(name: string, elements: number, part: TensorPart = "value"): Float32Array<ArrayBuffer> {
    return this.tensors.get(name)!.get(part)?.slice() ?? new Float32Array(elements);
  }
  setGroup(name: string, group: { lr_scale: number; weight_decay: number }): void {
    this.groups.set(name, group);
  }
  setNumber(name: string, value: number): void {
    this.numbers.set(name, value);
    if (name === "step") this.applies = value;
  }
  putBatch(batch: Batch): void {
    this.#batch = batch;
  }
  async accumulate(): Promise<void> {
    await Promise.resolve();
    const target = this.#batch.targets!.data[0]!;
    const fail = (sentence: string) => {
      this.#gradients.clear();
      throw new NotFinite(sentence);
    };
    if (Number.isNaN(target)) {
      this.carried = { rows: 1, data: Float32Array.of(NaN) };
      fail("the loss is not finite");
    }
    let loss = 0;
    for (const [name, parts] of this.tensors) {
      const distance = parts.get("value")![0]! - target + 0.1 * (this.carried?.data[0] ?? 0);
      loss += distance ** 2;
      this.#gradients.set(name, (this.#gradients.get(name) ?? 0) + 2 * distance);
    }
    if (this.numbers.get("carry")) {
      this.carried = { rows: 1, data: Float32Array.of((this.carried?.data[0] ?? 0) / 2 + target) };
    }
    this.#outputs = new Map([["loss", loss]]);
  }
  async apply(): Promise<void> {
    await Promise.resolve();
    const lr = this.numbers.get("lr")!;
    this.rates.push(lr);
    for (const [name, gradient] of this.#gradients) {
      const { lr_scale, weight_decay } = this.groups.get(name)!;
      if (lr_scale === 0) continue;
      const [moment1] = this.readTensor(name, 1, "moment1"), [value] = this.readTensor(name, 1);
      const mean = 0.9 * moment1! + 0.1 * gradient;
      const rate = lr * lr_scale;
      this.putTensor(name, { dims: [1], data: Float32Array.of(mean) }, "moment1");
      this.putTensor(name, {
        dims: [1],
        data: Float32Array.of(
          value! * (1 - rate * weight_decay) - rate * mean / (1 - 0.9 ** (this.applies + 1)),
        ),
      });
    }
    this.applies++;
    const norm = Math.hypot(...this.#gradients.values());
    this.#gradients.clear();
    this.#outputs.set("grad_norm", norm);
  }
  async evaluate(): Promise<void> {
    await this.accumulate();
    this.#gradients.clear();
    this.carried = { rows: 1, data: Float32Array.of(1e6) };
  }
  readOutput(name: string): NamedTensor {
    const value = this.#outputs.get(name);
    if (value === undefined) throw new Error(`Cannot read "${name}"`);
    return { dims: [], data: Float32Array.of(value) };
  }
  readCarried() {
    return this.carried && { rows: 1, data: new Float32Array(this.carried.data) };
  }
  putCarried(rows: number, data: Float32Array): void {
    this.carried = { rows, data: new Float32Array(data) };
  }
  close(): void {
    this.closed = true;
  }
  [Symbol.dispose](): void {
    this.close();
  }
}
