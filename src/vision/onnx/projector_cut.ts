// A written tower taken apart where its projector begins: the part in front as a model of its own, the projector's numbers,
// and the whole again with other numbers in it. Knows the graphs of write_tower.ts and object_tower.ts; must not know training
// or bundles.
import type { onnx } from "onnx-proto";
// The package is CommonJS: at run time its only export is the default one.
import proto from "onnx-proto";
import type { Projector } from "./tower_plan.ts";
import { transpose } from "./weight_formats.ts";

export interface CutTensor {
  /** Matrices are [out, in], as in a checkpoint. */
  dims: readonly number[];
  data: Float32Array;
}

export interface CutTower {
  kind: Projector["kind"];
  /** By the names of a checkpoint: "proj." and the rest. */
  tensors: Map<string, CutTensor>;
  /** F and K. */
  feature_width: number;
  vectors: number;
  /** Its output "vectors" are the features; its large constants lie where those of the whole do. */
  features_model: Uint8Array<ArrayBuffer>;
  /** The whole with other numbers. Throws RangeError for a tensor of another size. */
  rejoin(tensors: ReadonlyMap<string, CutTensor>): Uint8Array<ArrayBuffer>;
}

/** Bytes of a constant that stands in another file. */
export type ReadExternal = (location: string, offset: number, length: number) => Promise<Uint8Array>;

const codes = { float: 1, half: 10 };

/** Throws RangeError when the graph does not end in a projector of write_tower.ts. */
export async function cutProjector(model: Uint8Array, readExternal: ReadExternal): Promise<CutTower> {
  const whole = proto.onnx.ModelProto.decode(model);
  const graph = new ReadGraph(whole.graph as onnx.IGraphProto);
  const parts = findParts(graph);
  const tensors = new Map<string, CutTensor>();
  for (const [name, constant] of parts.constants) {
    const tensor = graph.constant(constant);
    const data = await readFloats(tensor, readExternal);
    const dims = (tensor.dims ?? []).map(Number);
    const [rows, columns] = dims;
    tensors.set(
      name,
      columns === undefined
        ? { dims, data }
        : { dims: [columns, rows!], data: transpose(data, rows!, columns) },
    );
  }
  const feature_width = tensors.get(parts.reads)!.dims[1]!;
  const vectors = Number(graph.output.type?.tensorType?.shape?.dim?.[1]?.dimValue);
  return {
    kind: parts.kind,
    tensors,
    feature_width,
    vectors,
    features_model: encode({ ...whole, graph: graph.upTo(parts.features, feature_width) }),
    rejoin(changed) {
      const initializer = (whole.graph!.initializer ?? []).map((tensor) => {
        const name = [...parts.constants].find(([, constant]) => graph.constant(constant) === tensor)?.[0];
        return name === undefined ? tensor : refill(tensor, name, changed.get(name), tensors.get(name)!);
      });
      return encode({ ...whole, graph: { ...whole.graph, initializer } });
    },
  };
}

function encode(model: onnx.IModelProto): Uint8Array<ArrayBuffer> {
  return new Uint8Array(proto.onnx.ModelProto.encode(proto.onnx.ModelProto.create(model)).finish());
}

interface Parts {
  kind: Projector["kind"];
  /** The value that goes into the projector. */
  features: string;
  /** Checkpoint name → name of the value in the graph. */
  constants: Map<string, string>;
  /** The matrix that reads the features. */
  reads: string;
}

function findParts(graph: ReadGraph): Parts {
  const end = graph.maker(graph.maker(graph.output.name!, "Identity").input![0]!);
  if (end.opType === "LayerNormalization") {
    const [product, gain, bias] = end.input as string[];
    const out = graph.maker(product!, "MatMul");
    const [features, share] = graph.maker(out.input![0]!, "Mul").input as string[];
    const gate = graph.gate(share!, features!);
    return {
      ...{ kind: "gate_before", features: features!, reads: "proj.gate.weight" },
      constants: new Map([
        ["proj.gate.weight", gate],
        ["proj.o_proj.weight", out.input![1]!],
        ["proj.ln_v.weight", gain!],
        ["proj.ln_v.bias", bias!],
      ]),
    };
  }
  const product = end.opType === "Add" ? graph.maker(end.input![0]!, "MatMul") : end;
  // By write_tower.ts, or by object_tower.ts.
  if (end.name?.startsWith("projected") || product.input?.[1] === "proj.weight") {
    const [features, matrix] = product.input as string[];
    const constants = new Map([["proj.weight", matrix!]]);
    if (end.opType === "Add") constants.set("proj.bias", end.input![1]!);
    return { kind: "linear", features: features!, reads: "proj.weight", constants };
  }
  if (end.opType !== "MatMul") throw unknown();
  const inner = graph.maker(end.input![0]!);
  const gated = inner.opType === "Mul";
  if (!gated && inner.opType !== "Relu") throw unknown();
  const [hidden, share] = inner.input as string[];
  const first = graph.maker(hidden!, "MatMul");
  const constants = new Map([["proj.proj.weight", first.input![1]!], ["proj.o_proj.weight", end.input![1]!]]);
  if (gated) constants.set("proj.gate.weight", graph.gate(share!, hidden!));
  const kind = gated ? "gate_after" : "relu";
  return { kind, features: first.input![0]!, reads: "proj.proj.weight", constants };
}

function unknown(): RangeError {
  return new RangeError("the tower does not end in a projector that is known");
}

class ReadGraph {
  readonly output: onnx.IValueInfoProto;
  readonly #makers = new Map<string, onnx.INodeProto>();
  readonly #constants = new Map<string, onnx.ITensorProto>();

  constructor(readonly graph: onnx.IGraphProto) {
    const [output] = graph.output ?? [];
    if (output === undefined) throw unknown();
    this.output = output;
    for (const node of graph.node ?? []) for (const name of node.output ?? []) this.#makers.set(name, node);
    for (const tensor of graph.initializer ?? []) this.#constants.set(tensor.name!, tensor);
  }

  maker(value: string, op?: string): onnx.INodeProto {
    const node = this.#makers.get(value);
    if (node === undefined || op !== undefined && node.opType !== op) throw unknown();
    return node;
  }

  /** The matrix of sigmoid(G x), by the value of the whole. */
  gate(share: string, x: string): string {
    const product = this.maker(this.maker(share, "Sigmoid").input![0]!, "MatMul");
    if (product.input![0] !== x) throw unknown();
    return product.input![1]!;
  }

  /** As it is stored; a matrix of fp16 goes through a cast. */
  constant(value: string): onnx.ITensorProto {
    const stored = this.#constants.get(value) ?? this.#constants.get(this.maker(value, "Cast").input![0]!);
    if (stored === undefined) throw unknown();
    return stored;
  }

  /** Only what `value` is made of, as the one output. */
  upTo(value: string, width: number): onnx.IGraphProto {
    const needed = new Set<string>();
    const waiting = [value];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (needed.has(name)) continue;
      needed.add(name);
      const node = this.#makers.get(name);
      if (node === undefined) continue;
      waiting.push(...node.input ?? []);
      for (const other of node.output ?? []) needed.add(other);
    }
    const { name } = this.output;
    const dim = [...this.output.type!.tensorType!.shape!.dim!.slice(0, -1), { dimValue: width }];
    const tensorType = { ...this.output.type!.tensorType, shape: { dim } };
    return {
      ...this.graph,
      node: [
        ...(this.graph.node ?? []).filter((node) => node.output?.some((output) => needed.has(output))),
        { opType: "Identity", name, input: [value], output: [name!] },
      ],
      initializer: [...this.#constants.values()].filter((tensor) => needed.has(tensor.name!)),
      output: [{ name, type: { tensorType } }],
    };
  }
}

async function readFloats(tensor: onnx.ITensorProto, readExternal: ReadExternal): Promise<Float32Array> {
  const fields = new Map((tensor.externalData ?? []).map(({ key, value }) => [key, value]));
  const location = fields.get("location");
  const bytes = location
    ? await readExternal(location, Number(fields.get("offset")), Number(fields.get("length")))
    : tensor.rawData ?? new Uint8Array();
  const copy = new Uint8Array(bytes).buffer; // aligned
  if (tensor.dataType === codes.float) return new Float32Array(copy);
  if (tensor.dataType === codes.half) return Float32Array.from(new Float16Array(copy));
  throw unknown();
}

function refill(
  tensor: onnx.ITensorProto,
  name: string,
  changed: CutTensor | undefined,
  { dims }: CutTensor,
): onnx.ITensorProto {
  if (changed === undefined || changed.dims.join() !== dims.join()) {
    throw new RangeError(`"${name}" is [${changed?.dims ?? "missing"}], not [${dims}]`);
  }
  const [rows, columns] = dims;
  const data = columns === undefined ? changed.data : transpose(changed.data, rows!, columns);
  const stored = tensor.dataType === codes.half ? Float16Array.from(data) : data;
  const rawData = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
  const { name: own, dims: sizes, dataType } = tensor;
  return { name: own, dims: sizes, dataType, rawData };
}
