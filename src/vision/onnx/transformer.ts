// The parts of a transformer block, for every encoder: attention, MLP, the three GELUs. Must not know pictures.
import type { Value } from "./graph.ts";
import type { TowerGraph } from "./tower_graph.ts";
import type { Activation } from "./tower_plan.ts";

export interface BlockShape {
  width: number;
  heads: number;
  norm_epsilon: number;
  activation: Activation;
}

/** What the checkpoint calls the parts of its blocks, behind the block's prefix. */
export interface BlockNames {
  norm1: string;
  /** One matrix with q, k, v stacked, or three. */
  qkv: readonly string[];
  out: string;
  norm2: string;
  fc1: string;
  fc2: string;
  /** LayerScale, a factor per channel. */
  scale1?: string;
  scale2?: string;
}

const block_linear = { bias: "needed", quantised: true } as const;

/** One pre-norm block on [N, T, width]. `pictures`: into how many parts of N one frame goes. */
export function block(
  tower: TowerGraph,
  prefix: string,
  x: Value,
  tokens: number,
  pictures: number,
  names: BlockNames,
  shape: BlockShape,
): Value {
  const { graph } = tower;
  const { width, heads, norm_epsilon } = shape;
  const normed = tower.norm(`${prefix}${names.norm1}`, x, width, norm_epsilon);
  const { q, k, v } = splitHeads(
    tower,
    `${prefix}attention.`,
    projectQkv(tower, prefix, normed, names, width),
    shape,
  );
  const scaled = graph.node("Mul", `${prefix}attention.q_scaled`, [
    q,
    tower.scalar(1 / Math.sqrt(width / heads)),
  ]);
  const keys = graph.node("Transpose", `${prefix}attention.keys`, [k], { perm: [0, 1, 3, 2] });
  const mixed = attend(tower, `${prefix}attention.`, { q: scaled, keys, v, tokens, pictures }, shape);
  const out = projectOut(tower, `${prefix}${names.out}`, mixed, width, width);
  const first = scale(tower, prefix, names.scale1, out, width);
  const middle = graph.node("Add", `${prefix}attended`, [x, first]);
  return mlp(tower, prefix, middle, names, shape);
}

/** [N, T, width] → [N, T, 3 width]. */
export function projectQkv(
  tower: TowerGraph,
  prefix: string,
  x: Value,
  names: BlockNames,
  width: number,
): Value {
  const sources = names.qkv.map((name) => `${prefix}${name}`);
  const width_out = 3 * width / sources.length;
  return tower.linear(`${prefix}qkv_rows`, x, width, sources, { ...block_linear, width_out }).value;
}

/** [N, T, 3 width] → three of [N, heads, T, width / heads]. */
export function splitHeads(
  tower: TowerGraph,
  prefix: string,
  qkv: Value,
  { width, heads }: BlockShape,
): { q: Value; k: Value; v: Value } {
  const { graph } = tower;
  const parts = ["q", "k", "v"];
  const rows = graph.nodes(
    "Split",
    `${prefix}split`,
    parts.map((part) => `${prefix}${part}_rows`),
    [qkv, tower.integers(width, width, width)],
    { axis: -1 },
  );
  const [q, k, v] = parts.map((part, index) => {
    const apart = graph.node("Reshape", `${prefix}${part}_apart`, [
      rows[index],
      tower.integers(0, 0, heads, width / heads),
    ]);
    return graph.node("Transpose", `${prefix}${part}`, [apart], { perm: [0, 2, 1, 3] });
  });
  return { q, k, v };
}

export interface Attention {
  /** [N, heads, T, any], scaled already. */
  q: Value;
  /** [N, heads, any, T]. */
  keys: Value;
  /** [N, heads, T, width / heads]. */
  v: Value;
  tokens: number;
  /** Parts of N that one frame has. */
  pictures: number;
}

/** softmax(q keys) v, heads side by side again: [N, T, width]. */
export function attend(tower: TowerGraph, prefix: string, attention: Attention, shape: BlockShape): Value {
  const { graph } = tower;
  const { q, keys, v, tokens, pictures } = attention;
  const scores_bytes = 4 * pictures * shape.heads * tokens * tokens;
  const pieces = Math.min(tokens, Math.ceil(scores_bytes / tower.scores_bytes_max));
  const mix = (name: string, rows: Value) => {
    const scores = graph.node("MatMul", `${name}scores`, [rows, keys]);
    const shares = graph.node("Softmax", `${name}shares`, [scores], { axis: -1 });
    return graph.node("MatMul", `${name}mixed`, [shares, v]);
  };
  const mixed = pieces === 1 ? mix(prefix, q) : graph.node(
    "Concat",
    `${prefix}all_mixed`,
    splitRows(tower, prefix, q, tokens, pieces).map((rows, index) => mix(`${prefix}${index}.`, rows)),
    { axis: 2 },
  );
  const back = graph.node("Transpose", `${prefix}back`, [mixed], { perm: [0, 2, 1, 3] });
  return graph.node("Reshape", `${prefix}merged`, [back, tower.integers(0, 0, shape.width)]);
}

/** Nearly equal pieces of axis 2. */
function splitRows(tower: TowerGraph, prefix: string, q: Value, tokens: number, pieces: number): Value[] {
  const ends = Array.from({ length: pieces + 1 }, (_, index) => Math.floor(index * tokens / pieces));
  const sizes = ends.slice(1).map((end, index) => end - ends[index]);
  const outputs = sizes.map((_, index) => `${prefix}${index}.q`);
  return tower.graph.nodes("Split", `${prefix}pieces`, outputs, [q, tower.integers(...sizes)], { axis: 2 });
}

/** The second half of a block, with its norm and residual; any rank, channels last. */
export function mlp(
  tower: TowerGraph,
  prefix: string,
  x: Value,
  names: BlockNames,
  { width, norm_epsilon, activation }: BlockShape,
): Value {
  const normed = tower.norm(`${prefix}${names.norm2}`, x, width, norm_epsilon);
  const hidden = tower.linear(
    `${prefix}${names.fc1}`,
    normed,
    width,
    [`${prefix}${names.fc1}`],
    block_linear,
  );
  const active = activate(tower, `${prefix}mlp.`, hidden.value, activation);
  const out = projectOut(tower, `${prefix}${names.fc2}`, active, hidden.width, width);
  return tower.graph.node("Add", `${prefix}out`, [x, scale(tower, prefix, names.scale2, out, width)]);
}

/** The linear layer back to the width of the residual. */
export function projectOut(
  tower: TowerGraph,
  name: string,
  x: Value,
  width_in: number,
  width_out: number,
): Value {
  return tower.linear(name, x, width_in, [name], { ...block_linear, width_out }).value;
}

function scale(tower: TowerGraph, prefix: string, name: string | undefined, x: Value, width: number): Value {
  if (name === undefined) return x;
  const gamma = `${prefix}${name}`;
  return tower.graph.node("Mul", `${gamma}.scaled`, [
    x,
    tower.load(gamma, tower.shapeOf(gamma, [width])),
  ]);
}

/** Each in the form that ONNX Runtime recognises and replaces by one kernel. */
function activate(tower: TowerGraph, prefix: string, x: Value, activation: Activation): Value {
  const node = (op: string, name: string, ...inputs: Value[]) =>
    tower.graph.node(op, `${prefix}${name}`, inputs);
  const number = (value: number) => tower.scalar(value);
  if (activation === "quick") {
    return node("Mul", "active", x, node("Sigmoid", "gate", node("Mul", "gate_in", x, number(1.702))));
  }
  if (activation === "erf") {
    const erf = node("Erf", "erf", node("Div", "erf_in", x, number(Math.SQRT2)));
    return node("Mul", "active", node("Mul", "twice", x, node("Add", "risen", erf, number(1))), number(0.5));
  }
  // 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))
  const cube = node("Mul", "cube", number(0.044715), node("Pow", "power", x, number(3)));
  const inner = node("Mul", "tanh_in", number(Math.sqrt(2 / Math.PI)), node("Add", "sum", x, cube));
  const risen = node("Add", "risen", number(1), node("Tanh", "tanh", inner));
  return node("Mul", "active", node("Mul", "half", number(0.5), x), risen);
}
