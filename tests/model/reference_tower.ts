// The CLIP-type tower once more in plain loops and float64: the oracle for the ONNX graph. One frame.
import type { ClipTowerShape, WeightLookup } from "../../src/vision/onnx/clip_tower.ts";

type Rows = Float64Array[];

export function referenceTower(shape: ClipTowerShape, weights: WeightLookup, rgb: Uint8Array): number[] {
  const get = (name: string) => weights(name)!;
  let x = embed(shape, get, rgb);
  if (shape.pre_norm) x = x.map((row) => norm(row, get, "pre_layrnorm", shape.norm_epsilon));
  for (let layer = 0; layer < shape.layers; layer++) x = block(shape, get, `encoder.layers.${layer}.`, x);
  if (shape.post_norm) x = x.map((row) => norm(row, get, "post_layernorm", shape.norm_epsilon));
  const positions = weights("proj.position");
  return pool(shape, x).flatMap((row, cell) => {
    const vector = linear(row, get("proj.weight"), weights("proj.bias"), shape.vector_width);
    return [...vector.map((value, index) => value + (positions?.[cell * vector.length + index] ?? 0))];
  });
}

type Get = (name: string) => Float32Array;

function embed(shape: ClipTowerShape, get: Get, rgb: Uint8Array): Rows {
  const { width_px, height_px, patch_px, width, class_token, mean, std } = shape;
  const kernel = get("embeddings.patch_embedding.weight");
  const positions = get("embeddings.position_embedding.weight");
  const rows: Rows = class_token ? [Float64Array.from(get("embeddings.class_embedding"))] : [];
  for (let top = 0; top + patch_px <= height_px; top += patch_px) {
    for (let left = 0; left + patch_px <= width_px; left += patch_px) {
      const row = new Float64Array(width);
      for (let out = 0; out < width; out++) {
        for (let c = 0; c < 3; c++) {
          for (let i = 0; i < patch_px; i++) {
            for (let j = 0; j < patch_px; j++) {
              const pixel = rgb[((top + i) * width_px + left + j) * 3 + c];
              row[out] += (pixel / 255 - mean[c]) / std[c] *
                kernel[((out * 3 + c) * patch_px + i) * patch_px + j];
            }
          }
        }
      }
      rows.push(row);
    }
  }
  return rows.map((row, index) => row.map((value, channel) => value + positions[index * width + channel]));
}

function norm(row: Float64Array, get: Get, name: string, epsilon: number): Float64Array {
  const gain = get(`${name}.weight`), bias = get(`${name}.bias`);
  const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
  return row.map((value, channel) =>
    (value - mean) / Math.sqrt(variance + epsilon) * gain[channel] + bias[channel]
  );
}

function linear(
  row: Float64Array,
  matrix: Float32Array,
  bias: Float32Array | undefined,
  out: number,
): Float64Array {
  const result = new Float64Array(out);
  for (let o = 0; o < out; o++) {
    result[o] = row.reduce((sum, value, i) => sum + value * matrix[o * row.length + i], bias?.[o] ?? 0);
  }
  return result;
}

function block(shape: ClipTowerShape, get: Get, prefix: string, x: Rows): Rows {
  const { width, mlp_width, norm_epsilon } = shape;
  const dense = (row: Float64Array, name: string, out: number) =>
    linear(row, get(`${prefix}${name}.weight`), get(`${prefix}${name}.bias`), out);
  const normed = x.map((row) => norm(row, get, `${prefix}layer_norm1`, norm_epsilon));
  const [q, k, v] = ["q", "k", "v"].map((part) =>
    normed.map((row) => dense(row, `self_attn.${part}_proj`, width))
  );
  const mixed = attend(q, k, v, shape.heads);
  const middle = x.map((row, t) => add(row, dense(mixed[t], "self_attn.out_proj", width)));
  return middle.map((row) => {
    const hidden = dense(norm(row, get, `${prefix}layer_norm2`, norm_epsilon), "mlp.fc1", mlp_width)
      .map((value) => value / (1 + Math.exp(-1.702 * value)));
    return add(row, dense(hidden, "mlp.fc2", width));
  });
}

function attend(q: Rows, k: Rows, v: Rows, heads: number): Rows {
  const width = q[0].length, head = width / heads;
  return q.map((query) => {
    const out = new Float64Array(width);
    for (let from = 0; from < width; from += head) {
      const scores = k.map((key) => {
        let sum = 0;
        for (let i = from; i < from + head; i++) sum += query[i] * key[i];
        return Math.exp(sum / Math.sqrt(head));
      });
      const total = scores.reduce((sum, score) => sum + score, 0);
      v.forEach((value, t) => {
        for (let i = from; i < from + head; i++) out[i] += scores[t] / total * value[i];
      });
    }
    return out;
  });
}

function pool(shape: ClipTowerShape, x: Rows): Rows {
  const { width_px, height_px, patch_px, pool_rows, pool_columns, class_token, class_vector } = shape;
  const rows = Math.floor(height_px / patch_px), columns = Math.floor(width_px / patch_px);
  const patches = class_token ? x.slice(1) : x;
  const cells: Rows = [];
  for (let i = 0; i < pool_rows; i++) {
    for (let j = 0; j < pool_columns; j++) {
      const inside = patches.filter((_, index) => {
        const row = Math.floor(index / columns), column = index % columns;
        return row >= Math.floor(i * rows / pool_rows) && row < Math.ceil((i + 1) * rows / pool_rows) &&
          column >= Math.floor(j * columns / pool_columns) &&
          column < Math.ceil((j + 1) * columns / pool_columns);
      });
      cells.push(inside.reduce(add).map((value) => value / inside.length));
    }
  }
  return class_vector ? [...cells, x[0]] : cells;
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, index) => value + b[index]);
}
