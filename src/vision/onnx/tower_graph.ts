// The graph of a tower under construction: constants come from a checkpoint by name, with the shapes it says; linear
// layers are written in the chosen weight format. Must not know encoders.
import { GraphBuilder, type Value } from "./graph.ts";
import { PendingConstants } from "./pending_constants.ts";
import type { TowerTensors, WeightFormat } from "./tower_plan.ts";
import { quantiseRows, toHalf, transpose } from "./weight_formats.ts";

export interface LinearOptions {
  /** "optional": where the checkpoint has one. */
  bias: "needed" | "none" | "optional";
  /** May be int8 where the format is. */
  quantised: boolean;
  /** What each matrix must give; undefined takes any. */
  width_out?: number;
}

/** Everything that does not fit is a RangeError which names the tensor. */
export class TowerGraph {
  readonly graph = new GraphBuilder();
  readonly pending = new PendingConstants(this.graph);
  readonly tensors_used = new Set<string>();
  readonly #tensors: TowerTensors;
  readonly #weights: WeightFormat;
  /** Constants and quantised inputs that several nodes use, by what they are. */
  readonly #shared = new Map<string, Value[]>();

  constructor(tensors: TowerTensors, weights: WeightFormat, readonly scores_bytes_max: number) {
    this.#tensors = tensors;
    this.#weights = weights;
  }

  has(name: string): boolean {
    return this.#tensors(name) !== undefined;
  }

  /** A size in `wanted` must be met, undefined takes any. */
  shapeOf(name: string, wanted: readonly (number | undefined)[]): number[] {
    const tensor = this.#tensors(name);
    if (tensor === undefined) throw new RangeError(`The tower needs the tensor "${name}"`);
    const shape = [...tensor.shape];
    const fits = shape.length === wanted.length &&
      wanted.every((size, axis) => size === undefined || size === shape[axis]) &&
      shape.every((size) => size >= 1);
    if (!fits) {
      const pattern = wanted.map((size) => size ?? "any").join(", ");
      throw new RangeError(`"${name}" has the shape [${shape.join(", ")}], not [${pattern}]`);
    }
    return shape;
  }

  /** The tensor as a float32 constant under its own name. */
  load(name: string, shape: readonly number[]): Value {
    return this.derive(name, shape, [name], ([data]) => data);
  }

  /** A float32 constant made of tensors. */
  derive(
    name: string,
    shape: readonly number[],
    sources: readonly string[],
    make: (data: Float32Array[]) => Float32Array,
  ): Value {
    this.#use(sources);
    this.pending.add([{ name, type: "float32", shape }], async () => [make(await this.#read(sources))]);
    return name;
  }

  /** A kernel of a convolution: as small as the format allows, without int8. */
  kernel(name: string, shape: readonly number[]): Value {
    if (this.#weights !== "fp16") return this.load(name, shape);
    this.#use([name]);
    return this.#half(name, shape, async () => toHalf(name, (await this.#read([name]))[0]));
  }

  /** Computed from nothing but `key`; written once. */
  sharedFloats(key: string, shape: readonly number[], make: () => Float32Array): Value {
    return this.#once(key, (name) => {
      this.pending.add([{ name, type: "float32", shape }], () => Promise.resolve([make()]));
      return [name];
    })[0];
  }

  scalar(value: number): Value {
    return this.#once(`scalar ${value}`, (name) => [this.graph.floats(name, [], Float32Array.of(value))])[0];
  }

  integers(...values: number[]): Value {
    return this.#once(`integers ${values}`, (name) => [this.graph.integers(name, values)])[0];
  }

  /** LayerNorm over the last axis with `name.weight` and `name.bias`. */
  norm(name: string, x: Value, width: number, epsilon: number): Value {
    const gain = this.load(`${name}.weight`, this.shapeOf(`${name}.weight`, [width]));
    const bias = this.load(`${name}.bias`, this.shapeOf(`${name}.bias`, [width]));
    return this.graph.node("LayerNormalization", name, [x, gain, bias], {
      axis: -1,
      epsilon: { float: epsilon },
    });
  }

  /** `x` times one matrix or several side by side: `source.weight` [out, in] (or [out, in, 1, 1]). */
  linear(
    name: string,
    x: Value,
    width_in: number,
    sources: readonly string[],
    { bias, quantised, width_out }: LinearOptions,
  ): { value: Value; width: number } {
    const matrices = sources.map((source) => `${source}.weight`);
    const widths = matrices.map((matrix) => this.#widthOut(matrix, width_in, width_out));
    const width = widths.reduce((sum, size) => sum + size, 0);
    const biases = sources.map((source) => `${source}.bias`);
    const biased = bias === "needed" || bias === "optional" && biases.every((source) => this.has(source));
    const product = biased ? `${name}.product` : name;
    this.#use(matrices);
    if (quantised && this.#weights === "int8") this.#multiplyIntegers(product, x, matrices, width_in, width);
    else {
      this.graph.node("MatMul", product, [x, this.#matrix(`${name}.matrix`, matrices, width_in, width)]);
    }
    if (!biased) return { value: product, width };
    biases.forEach((source, index) => this.shapeOf(source, [widths[index]]));
    const added = this.derive(`${name}.bias_row`, [width], biases, concatenate);
    return { value: this.graph.node("Add", name, [product, added]), width };
  }

  #widthOut(matrix: string, width_in: number, width_out?: number): number {
    const rank = this.#tensors(matrix)?.shape.length;
    return this.shapeOf(matrix, [width_out, width_in, ...(rank === 4 ? [1, 1] : [])])[0];
  }

  #matrix(name: string, sources: readonly string[], width_in: number, width: number): Value {
    const turned = async () => transpose(concatenate(await this.#read(sources)), width, width_in);
    if (this.#weights === "fp16") {
      return this.#half(name, [width_in, width], async () => toHalf(sources.join(", "), await turned()));
    }
    this.pending.add([{ name, type: "float32", shape: [width_in, width] }], async () => [await turned()]);
    return name;
  }

  #half(name: string, shape: readonly number[], make: () => Promise<Float16Array>): Value {
    const stored = `${name}.half`;
    this.pending.add([{ name: stored, type: "float16", shape }], async () => [await make()]);
    return this.graph.node("Cast", name, [stored], { to: 1 });
  }

  /** x ≈ (x8 - zero) * x_scale, W ≈ W8 * scales: the product is one of integers and one multiplication per element. */
  #multiplyIntegers(
    name: string,
    x: Value,
    sources: readonly string[],
    width_in: number,
    width: number,
  ): void {
    const matrix = `${name}.matrix`, scales = `${name}.scales`;
    this.pending.add([
      { name: matrix, type: "int8", shape: [width_in, width] },
      { name: scales, type: "float32", shape: [width] },
    ], async () => {
      const quantised = quantiseRows(concatenate(await this.#read(sources)), width, width_in);
      return [quantised.values, quantised.scales];
    });
    const { graph } = this;
    const [x8, x_scale, zero] = this.#once(
      `quantised ${x}`,
      () => graph.nodes("DynamicQuantizeLinear", `${x}.q`, [`${x}.q8`, `${x}.scale`, `${x}.zero`], [x]),
    );
    const sums = graph.node("MatMulInteger", `${name}.sums`, [x8, matrix, zero]);
    const scale = graph.node("Mul", `${name}.scale`, [x_scale, scales]);
    graph.node("Mul", name, [graph.node("Cast", `${name}.float`, [sums], { to: 1 }), scale]);
  }

  #once(key: string, make: (name: string) => Value[]): Value[] {
    const found = this.#shared.get(key) ?? make(key.replace(/[ ,]/g, "_"));
    this.#shared.set(key, found);
    return found;
  }

  #use(sources: readonly string[]): void {
    for (const source of sources) this.tensors_used.add(source);
  }

  /** One by one; NaN and infinity are refused here, for every format. */
  async #read(sources: readonly string[]): Promise<Float32Array[]> {
    const all: Float32Array[] = [];
    for (const name of sources) {
      const tensor = this.#tensors(name);
      if (tensor === undefined) throw new RangeError(`The tower needs the tensor "${name}"`);
      const data = await tensor.read();
      const elements = tensor.shape.reduce((product, size) => product * size, 1);
      if (data.length !== elements) {
        throw new RangeError(`"${name}" has ${data.length} elements, not ${elements}`);
      }
      for (const value of data) {
        if (!Number.isFinite(value)) throw new RangeError(`"${name}" holds ${value}, which is no weight`);
      }
      all.push(data);
    }
    return all;
  }
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0];
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}
