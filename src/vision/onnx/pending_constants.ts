// Constants that are read from a checkpoint only when the model is written: one at a time, so that a tower of
// gigabytes needs no more memory than its largest matrix. Must not know towers.
import type { DataFile } from "./data_file.ts";
import type { ConstantSlot, ElementType, GraphBuilder } from "./graph.ts";

export interface ConstantShape {
  name: string;
  type: ElementType;
  shape: readonly number[];
}

interface Job {
  constants: { name: string; bytes: number; slot: ConstantSlot }[];
  make: () => Promise<readonly ArrayBufferView[]>;
}

/** Smaller ones stay in the graph: a page of the data file for each would be a waste. */
const inline_bytes_max = 1024;

const element_bytes: Record<ElementType, number> = { float32: 4, uint8: 1, int8: 1, int64: 8, float16: 2 };

export class PendingConstants {
  readonly #graph: GraphBuilder;
  readonly #jobs: Job[] = [];
  #total_bytes = 0;

  constructor(graph: GraphBuilder) {
    this.#graph = graph;
  }

  /** Of all constants. */
  get total_bytes(): number {
    return this.#total_bytes;
  }

  /** `make` gives the elements of each, in this order; it is called once, by `write`. */
  add(constants: readonly ConstantShape[], make: Job["make"]): void {
    this.#jobs.push({
      make,
      constants: constants.map(({ name, type, shape }) => {
        const bytes = shape.reduce((product, size) => product * size, element_bytes[type]);
        this.#total_bytes += bytes;
        return { name, bytes, slot: this.#graph.slot(name, type, shape) };
      }),
    });
  }

  /** Into the graph, or the large ones into `data`, whose path seen from the model's folder is `location`. */
  async write(
    data: DataFile | undefined,
    location: string,
    onProgress: (done_bytes: number, total_bytes: number) => void,
  ): Promise<void> {
    let done_bytes = 0;
    for (const { constants, make } of this.#jobs) {
      const made = await make();
      for (const [index, { name, bytes, slot }] of constants.entries()) {
        const { buffer, byteOffset, byteLength } = made[index];
        if (byteLength !== bytes) {
          throw new RangeError(`Constant "${name}" has ${byteLength} of ${bytes} bytes`);
        }
        const elements = new Uint8Array(buffer, byteOffset, byteLength);
        if (data === undefined || bytes < inline_bytes_max) slot.fill(elements);
        else {
          const { offset_bytes, length_bytes } = await data.append(elements);
          slot.place(location, offset_bytes, length_bytes);
        }
        done_bytes += bytes;
      }
      onProgress(done_bytes, this.#total_bytes);
    }
  }
}
