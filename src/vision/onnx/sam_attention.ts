// SAM's attention over a square of side s: scores carry decomposed relative positions,
//   score(query, key) = scale q·k + q·H[y_q - y_k + s - 1] + q·W[x_q - x_k + s - 1]   (q unscaled in the last two).
// They are written as one product: [scale q | q H | q W] times [k | which row | which column], where the key's last two
// parts are ones and zeros. No array of scores' size is then added to another.
import type { Value } from "./graph.ts";
import { repeatForEach } from "./picture_input.ts";
import type { TowerGraph } from "./tower_graph.ts";
import { attend, type BlockNames, type BlockShape, projectQkv, splitHeads } from "./transformer.ts";

/** [N, s * s, width] → the same shape, before the output matrix. `pictures`: parts of N that one frame has. */
export function attendInSquare(
  tower: TowerGraph,
  prefix: string,
  x: Value,
  side: number,
  pictures: number,
  names: BlockNames,
  shape: BlockShape,
): Value {
  const { graph } = tower;
  const { width, heads } = shape;
  const head_width = width / heads;
  const tokens = side * side;
  const at = `${prefix}attn.`;
  const { q, k, v } = splitHeads(tower, at, projectQkv(tower, prefix, x, names, width), shape);
  const square = graph.node("Reshape", `${at}square`, [q, tower.integers(0, 0, side, side, head_width)]);
  const by_row = graph.node("MatMul", `${at}by_row`, [
    square,
    table(tower, `${at}rel_pos_h`, side, head_width),
  ]);
  // Columns: the same with the square lying on its side, and back.
  const perm = [0, 1, 3, 2, 4];
  const lying = graph.node("Transpose", `${at}lying`, [square], { perm });
  const lying_columns = graph.node("MatMul", `${at}lying_columns`, [
    lying,
    table(tower, `${at}rel_pos_w`, side, head_width),
  ]);
  const by_column = graph.node("Transpose", `${at}by_column`, [lying_columns], { perm });
  const flat = tower.integers(0, 0, tokens, side);
  const queries = graph.node("Concat", `${at}queries`, [
    graph.node("Mul", `${at}q_scaled`, [q, tower.scalar(1 / Math.sqrt(head_width))]),
    graph.node("Reshape", `${at}rows_flat`, [by_row, flat]),
    graph.node("Reshape", `${at}columns_flat`, [by_column, flat]),
  ], { axis: -1 });
  const places = repeatForEach(tower, `${at}places`, placesOf(tower, side), q, [heads, 2 * side, tokens]);
  const keys = graph.node("Concat", `${at}keys`, [
    graph.node("Transpose", `${at}k_turned`, [k], { perm: [0, 1, 3, 2] }),
    places,
  ], { axis: 2 });
  return attend(tower, at, { q: queries, keys, v, tokens, pictures }, shape);
}

/** [s, head_width, s]: for each query line the rows of the table that its keys need, standing upright. */
function table(tower: TowerGraph, name: string, side: number, head_width: number): Value {
  tower.shapeOf(name, [2 * side - 1, head_width]);
  return tower.derive(`${name}.spread`, [side, head_width, side], [name], ([rows]) => {
    const spread = new Float32Array(side * head_width * side);
    for (let query = 0; query < side; query++) {
      for (let channel = 0; channel < head_width; channel++) {
        for (let key = 0; key < side; key++) {
          spread[(query * head_width + channel) * side + key] =
            rows[(query - key + side - 1) * head_width + channel];
        }
      }
    }
    return spread;
  });
}

/** [2 s, s * s]: row y is one where the key stands in line y, row s + x where it stands in column x. */
function placesOf(tower: TowerGraph, side: number): Value {
  return tower.sharedFloats(`places of ${side}`, [2 * side, side * side], () => {
    const places = new Float32Array(2 * side * side * side);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        places[y * side * side + y * side + x] = 1;
        places[(side + x) * side * side + y * side + x] = 1;
      }
    }
    return places;
  });
}
