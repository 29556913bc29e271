// The parts every transformer tower is made of, as graph nodes: LayerNorm, linear, attention, MLP with quick-GELU.
// Must not know pictures.
import { GraphBuilder, type Value } from "./graph.ts";

export interface BlockShape {
  width: number;
  heads: number;
  mlp_width: number;
  norm_epsilon: number;
}

/** Looks weights up by name and writes nodes of the same name into its graph. Throws RangeError. */
export class BlockWriter {
  readonly graph = new GraphBuilder();
  readonly #shape: BlockShape;
  readonly #weights: (name: string) => Float32Array | undefined;
  /** Small constants that every block uses, written once. */
  readonly #shared = new Set<string>();

  constructor(shape: BlockShape, weights: (name: string) => Float32Array | undefined) {
    this.#shape = shape;
    this.#weights = weights;
  }

  /** Whether there is such a tensor. */
  has(name: string): boolean {
    return this.#weights(name) !== undefined;
  }

  /** One pre-norm block on [N, T, width]: attention and MLP, each with its residual. */
  block(prefix: string, x: Value): Value {
    const { graph } = this;
    const { width, mlp_width } = this.#shape;
    const attended = this.#attention(`${prefix}self_attn.`, this.norm(`${prefix}layer_norm1`, x));
    const middle = graph.node("Add", `${prefix}attended`, [x, attended]);
    const hidden = this.linear(
      `${prefix}mlp.fc1`,
      this.norm(`${prefix}layer_norm2`, middle),
      width,
      mlp_width,
    );
    // quick-GELU: x * sigmoid(1.702 x)
    const scaled = graph.node("Mul", `${prefix}mlp.scaled`, [hidden, this.#scalar("gelu_scale", 1.702)]);
    const gate = graph.node("Sigmoid", `${prefix}mlp.gate`, [scaled]);
    const active = graph.node("Mul", `${prefix}mlp.active`, [hidden, gate]);
    return graph.node("Add", `${prefix}out`, [
      middle,
      this.linear(`${prefix}mlp.fc2`, active, mlp_width, width),
    ]);
  }

  #attention(prefix: string, x: Value): Value {
    const { graph } = this;
    const { width, heads } = this.#shape;
    const split = this.#integersOnce("split_heads", [0, 0, heads, width / heads]);
    const part = (name: string, perm: number[]) => {
      const projected = this.linear(`${prefix}${name}_proj`, x, width, width);
      const parts = graph.node("Reshape", `${prefix}${name}_split`, [projected, split]);
      return graph.node("Transpose", `${prefix}${name}_heads`, [parts], { perm });
    };
    const q = part("q", [0, 2, 1, 3]);
    const k = part("k", [0, 2, 3, 1]);
    const v = part("v", [0, 2, 1, 3]);
    const products = graph.node("MatMul", `${prefix}products`, [q, k]);
    const scale = this.#scalar("attention_scale", 1 / Math.sqrt(width / heads));
    const scores = graph.node("Mul", `${prefix}scores`, [products, scale]);
    const shares = graph.node("Softmax", `${prefix}shares`, [scores], { axis: -1 });
    const mixed = graph.node("MatMul", `${prefix}mixed`, [shares, v]);
    const back = graph.node("Transpose", `${prefix}mixed_back`, [mixed], { perm: [0, 2, 1, 3] });
    const merged = graph.node("Reshape", `${prefix}merged`, [
      back,
      this.#integersOnce("merge_heads", [0, 0, width]),
    ]);
    return this.linear(`${prefix}out_proj`, merged, width, width);
  }

  /** LayerNorm over the last axis with `name.weight` and `name.bias`. */
  norm(name: string, x: Value): Value {
    const { width, norm_epsilon } = this.#shape;
    const gain = this.load(`${name}.weight`, [width]);
    const bias = this.load(`${name}.bias`, [width]);
    return this.graph.node("LayerNormalization", name, [x, gain, bias], {
      axis: -1,
      epsilon: { float: norm_epsilon },
    });
  }

  /** Stored [out, in], as released; the graph wants [in, out]. */
  linear(name: string, x: Value, width_in: number, width_out: number, biased = true): Value {
    const data = this.#find(`${name}.weight`, width_in * width_out);
    const matrix = this.graph.floats(
      `${name}.weight`,
      [width_in, width_out],
      transpose(data, width_out, width_in),
    );
    if (!biased) return this.graph.node("MatMul", name, [x, matrix]);
    const product = this.graph.node("MatMul", `${name}.product`, [x, matrix]);
    return this.graph.node("Add", name, [product, this.load(`${name}.bias`, [width_out])]);
  }

  #scalar(name: string, value: number): Value {
    if (this.#shared.has(name)) return name;
    this.#shared.add(name);
    return this.graph.floats(name, [], Float32Array.of(value));
  }

  #integersOnce(name: string, values: readonly number[]): Value {
    if (this.#shared.has(name)) return name;
    this.#shared.add(name);
    return this.graph.integers(name, values);
  }

  /** The tensor as a constant of the graph, under its own name. */
  load(name: string, shape: readonly number[]): Value {
    return this.graph.floats(
      name,
      shape,
      this.#find(name, shape.reduce((product, size) => product * size, 1)),
    );
  }

  #find(name: string, elements: number): Float32Array {
    const data = this.#weights(name);
    if (data === undefined) throw new RangeError(`The tower needs the tensor "${name}"`);
    if (data.length !== elements) {
      throw new RangeError(`"${name}" has ${data.length} elements, not ${elements}`);
    }
    return data;
  }
}

function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[column * rows + row] = data[row * columns + column];
  }
  return out;
}
