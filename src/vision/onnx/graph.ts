// Writes ONNX graphs: nodes, constants, inputs and outputs become the bytes of a model. Knows the file format;
// must not know towers. Opset 17, IR version 8: what every ONNX Runtime since 1.12 reads.
import type { onnx } from "onnx-proto";
// The package is CommonJS: at run time its only export is the default one.
import proto from "onnx-proto";

export type ElementType = "float32" | "uint8" | "int8" | "int64" | "float16";

const element_codes: Record<ElementType, number> = { float32: 1, uint8: 2, int8: 3, int64: 7, float16: 10 };

/** ints and floats become lists, a bare number an integer. */
export type Attributes = Record<string, number | readonly number[] | { float: number }>;

/** A value's name inside the graph. */
export type Value = string;

/** A constant whose bytes come later: exactly one of the two is called before `finish`. */
export interface ConstantSlot {
  fill(bytes: Uint8Array): void;
  /** The bytes stand in another file; `location` is its path seen from the model's folder. */
  place(location: string, offset_bytes: number, length_bytes: number): void;
}

export class GraphBuilder {
  readonly #nodes: onnx.INodeProto[] = [];
  readonly #constants: onnx.ITensorProto[] = [];
  readonly #inputs: onnx.IValueInfoProto[] = [];
  readonly #outputs: onnx.IValueInfoProto[] = [];
  readonly #names = new Set<string>();
  /** Slots that have no bytes yet. */
  readonly #open = new Set<string>();

  /** A text in `shape` is a size left open. */
  input(name: string, type: ElementType, shape: readonly (number | string)[]): Value {
    this.#inputs.push(valueInfo(this.#claim(name), type, shape));
    return name;
  }

  /** Makes `value` an output of the model called `name`. */
  output(name: string, value: Value, type: ElementType, shape: readonly (number | string)[]): void {
    this.#nodes.push({ opType: "Identity", name, input: [value], output: [this.#claim(name)] });
    this.#outputs.push(valueInfo(name, type, shape));
  }

  /** Row-major floats. */
  floats(name: string, shape: readonly number[], data: Float32Array): Value {
    const elements = shape.reduce((product, size) => product * size, 1);
    if (elements !== data.length) {
      throw new RangeError(`Constant "${name}" has ${data.length} of ${elements} elements`);
    }
    return this.#constant(name, "float32", shape, data);
  }

  /** A vector of integers: shapes, axes, indices. */
  integers(name: string, values: readonly number[]): Value {
    return this.#constant(name, "int64", [values.length], new BigInt64Array(values.map(BigInt)));
  }

  /** One operator with one output, which carries the node's name. */
  node(op: string, name: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.nodes(op, name, [name], inputs, attributes)[0];
  }

  /** One operator with several outputs. */
  nodes(
    op: string,
    name: string,
    outputs: readonly string[],
    inputs: readonly Value[],
    attributes: Attributes = {},
  ): Value[] {
    this.#nodes.push({
      opType: op,
      name,
      input: [...inputs],
      output: outputs.map((output) => this.#claim(output)),
      attribute: Object.entries(attributes).map(attribute),
    });
    return [...outputs];
  }

  /** A constant of which only type and shape are known yet. */
  slot(name: string, type: ElementType, shape: readonly number[]): ConstantSlot {
    const tensor: onnx.ITensorProto = {
      name: this.#claim(name),
      dims: [...shape],
      dataType: element_codes[type],
    };
    this.#constants.push(tensor);
    this.#open.add(name);
    return {
      fill: (bytes) => {
        this.#open.delete(name);
        tensor.rawData = bytes;
      },
      place: (location, offset_bytes, length_bytes) => {
        this.#open.delete(name);
        tensor.dataLocation = proto.onnx.TensorProto.DataLocation.EXTERNAL;
        tensor.externalData = Object.entries({ location, offset: offset_bytes, length: length_bytes })
          .map(([key, value]) => ({ key, value: String(value) }));
      },
    };
  }

  /** The model file. */
  finish(graph_name: string): Uint8Array<ArrayBuffer> {
    for (const name of this.#open) throw new Error(`Constant "${name}" was never given its bytes`);
    const model = proto.onnx.ModelProto.create({
      irVersion: 8,
      producerName: "gander",
      opsetImport: [{ domain: "", version: 17 }],
      graph: {
        name: graph_name,
        node: this.#nodes,
        initializer: this.#constants,
        input: this.#inputs,
        output: this.#outputs,
      },
    });
    return new Uint8Array(proto.onnx.ModelProto.encode(model).finish());
  }

  #constant(
    name: string,
    type: ElementType,
    shape: readonly number[],
    data: Float32Array | BigInt64Array,
  ): Value {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#constants.push({
      name: this.#claim(name),
      dims: [...shape],
      dataType: element_codes[type],
      rawData: bytes,
    });
    return name;
  }

  /** ONNX Runtime refuses a model in which two values share a name; so do we, earlier. */
  #claim(name: string): string {
    if (this.#names.has(name)) throw new RangeError(`The graph has a value "${name}" already`);
    this.#names.add(name);
    return name;
  }
}

function valueInfo(
  name: string,
  type: ElementType,
  shape: readonly (number | string)[],
): onnx.IValueInfoProto {
  const dim = shape.map((size) => typeof size === "string" ? { dimParam: size } : { dimValue: size });
  return { name, type: { tensorType: { elemType: element_codes[type], shape: { dim } } } };
}

function attribute([name, value]: [string, Attributes[string]]): onnx.IAttributeProto {
  const types = proto.onnx.AttributeProto.AttributeType;
  if (typeof value === "number") return { name, type: types.INT, i: value };
  if ("float" in value) return { name, type: types.FLOAT, f: value.float };
  return { name, type: types.INTS, ints: [...value] };
}
