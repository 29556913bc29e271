// The pieces an object tower's graph is made of: constants in the chosen format, linear layers, norms, exact GELU, and
// small arithmetic under numbered names. Must not know what the tower finds.
import { type Attributes, GraphBuilder, type Value } from "./graph.ts";
import { toHalf, transpose } from "./weight_formats.ts";

/** Row-major. */
export interface TowerWeight {
  dims: readonly number[];
  data: Float32Array;
}

/** Undefined when there is none of that name. */
export type TowerWeights = (name: string) => TowerWeight | undefined;

export type ObjectWeightFormat = "fp32" | "fp16";

const norm_epsilon = 1e-5;
const groups = 8;

/** What does not fit is a RangeError which names the tensor. */
export class ObjectGraph {
  readonly graph = new GraphBuilder();
  readonly #weights: TowerWeights;
  readonly #format: ObjectWeightFormat;
  readonly #shared = new Map<string, Value>();
  #steps = 0;

  constructor(weights: TowerWeights, format: ObjectWeightFormat) {
    this.#weights = weights;
    this.#format = format;
  }

  has(name: string): boolean {
    return this.#weights(name) !== undefined;
  }

  /** A size in `wanted` must be met, undefined takes any. */
  read(name: string, wanted: readonly (number | undefined)[]): TowerWeight {
    const tensor = this.#weights(name);
    if (tensor === undefined) throw new RangeError(`The tower needs the tensor "${name}"`);
    const { dims, data } = tensor;
    if (
      dims.length !== wanted.length || wanted.some((size, axis) => size !== undefined && size !== dims[axis])
    ) {
      const pattern = wanted.map((size) => size ?? "any").join(", ");
      throw new RangeError(`"${name}" has the shape [${dims.join(", ")}], not [${pattern}]`);
    }
    const bad = data.find((value) => !Number.isFinite(value));
    if (bad !== undefined) throw new RangeError(`"${name}" holds ${bad}, which is no weight`);
    return tensor;
  }

  /** A large constant, as small as the format allows. */
  stored(name: string, dims: readonly number[], data: Float32Array): Value {
    if (this.#format === "fp32") return this.graph.floats(name, dims, data);
    const half = toHalf(name, data);
    this.graph.slot(`${name}.half`, "float16", dims).fill(
      new Uint8Array(half.buffer, half.byteOffset, half.byteLength),
    );
    return this.graph.node("Cast", name, [`${name}.half`], { to: 1 });
  }

  /** A tensor of few numbers under its own name, always float32. */
  row(name: string, width: number, dims: readonly number[] = [width]): Value {
    return this.graph.floats(name, dims, this.read(name, [width]).data);
  }

  /** One operator under a name of its own. */
  step(op: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.graph.node(op, `${op.toLowerCase()}_${this.#steps++}`, inputs, attributes);
  }

  number(value: number): Value {
    return this.numbers([], [value]);
  }

  /** Floats that are written once. */
  numbers(dims: readonly number[], values: readonly number[]): Value {
    return this.#once(
      `f ${dims} ${values}`,
      (name) => this.graph.floats(name, dims, Float32Array.from(values)),
    );
  }

  /** An integer without dimensions: an index that takes its axis away. */
  whole(value: number): Value {
    const list = this.integers(value);
    return this.#once(`w ${value}`, () => this.step("Squeeze", [list, this.integers(0)]));
  }

  integers(...values: number[]): Value {
    return this.#once(`i ${values}`, (name) => this.graph.integers(name, values));
  }

  /** Columns from … until - 1 of the last axis. */
  columns(x: Value, from: number, until: number): Value {
    return this.step("Slice", [x, this.integers(from), this.integers(until), this.integers(-1)]);
  }

  /** `name.weight` [out, in], with `name.bias` when `biased`. */
  linear(name: string, x: Value, width_in: number, width_out: number, biased = true): Value {
    const { data } = this.read(`${name}.weight`, [width_out, width_in]);
    const matrix = this.stored(`${name}.weight`, [width_in, width_out], transpose(data, width_out, width_in));
    const product = this.step("MatMul", [x, matrix]);
    return biased ? this.step("Add", [product, this.row(`${name}.bias`, width_out)]) : product;
  }

  /** Over the last axis. */
  layerNorm(name: string, x: Value, width: number): Value {
    const inputs = [x, this.row(`${name}.weight`, width), this.row(`${name}.bias`, width)];
    return this.step("LayerNormalization", inputs, { axis: -1, epsilon: { float: norm_epsilon } });
  }

  /** Over eight groups of the channels of [N, channels, rows, columns]. */
  groupNorm(name: string, x: Value, channels: number, rows: number, columns: number): Value {
    const ones = this.numbers([groups], new Array(groups).fill(1));
    const zeros = this.numbers([groups], new Array(groups).fill(0));
    const grouped = this.step("Reshape", [x, this.integers(0, groups, -1)]);
    const even = this.step("InstanceNormalization", [grouped, ones, zeros], {
      epsilon: { float: norm_epsilon },
    });
    const planes = this.step("Reshape", [even, this.integers(0, channels, rows, columns)]);
    const scaled = this.step("Mul", [planes, this.row(`${name}.weight`, channels, [channels, 1, 1])]);
    return this.step("Add", [scaled, this.row(`${name}.bias`, channels, [channels, 1, 1])]);
  }

  /** x * (1 + erf(x / sqrt 2)) / 2 */
  gelu(x: Value): Value {
    const bent = this.step("Erf", [this.step("Mul", [x, this.number(Math.SQRT1_2)])]);
    const gate = this.step("Add", [this.step("Mul", [bent, this.number(0.5)]), this.number(0.5)]);
    return this.step("Mul", [x, gate]);
  }

  #once(key: string, make: (name: string) => Value): Value {
    const found = this.#shared.get(key) ?? make(`constant_${this.#shared.size}`);
    this.#shared.set(key, found);
    return found;
  }
}
