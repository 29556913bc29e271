// RWKV-7 blocks over a whole sequence in plain double-precision loops, odd ones backwards: what the visual token
// compressor is (spec 2.9, 3.1). Slow on purpose; shares no code with the engine.
import { uniform } from "../../src/random.ts";
import type { FloatTensor } from "../../src/model/safetensors.ts";

export interface BlocksShape {
  layers: number;
  width: number;
  ranks: { w: number; a: number; v: number; g: number };
}

const head_size = 64;
type Row = Float64Array;

/** Tensors of blocks without embedding and head, all of them random. */
export function randomBlocks({ layers, width, ranks }: BlocksShape, seed: number): Map<string, FloatTensor> {
  const tensors = new Map<string, FloatTensor>();
  const draw = (name: string, shape: number[], deviation: number, offset = 0) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const data = uniform(seed, name, count, deviation).map((value) => value + offset);
    tensors.set(name, { shape, data });
  };
  const norm = (name: string) => {
    draw(`${name}.weight`, [width], 0.2, 1);
    draw(`${name}.bias`, [width], 0.2);
  };
  for (let layer = 0; layer < layers; layer++) {
    const block = `blocks.${layer}.`, att = `${block}att.`;
    for (const name of layer === 0 ? ["ln0", "ln1", "ln2"] : ["ln1", "ln2"]) norm(`${block}${name}`);
    for (const mix of ["r", "w", "k", "v", "a", "g"]) draw(`${att}x_${mix}`, [1, 1, width], 0.3, 0.5);
    for (const [kind, rank] of Object.entries(ranks)) {
      if (kind === "v" && layer === 0) continue;
      draw(`${att}${kind}1`, [width, rank], 0.15);
      draw(`${att}${kind}2`, [rank, width], 0.15);
      if (kind !== "g") draw(`${att}${kind}0`, [1, 1, width], 1, kind === "w" ? -2 : 0);
    }
    draw(`${att}k_k`, [1, 1, width], 0.2, 0.8);
    draw(`${att}k_a`, [1, 1, width], 0.2, 1);
    draw(`${att}r_k`, [width / head_size, head_size], 0.1);
    for (const name of ["receptance", "key", "value", "output"]) {
      draw(`${att}${name}.weight`, [width, width], 0.1);
    }
    norm(`${att}ln_x`);
    draw(`${block}ffn.x_k`, [1, 1, width], 0.3, 0.5);
    draw(`${block}ffn.key.weight`, [4 * width, width], 0.1);
    draw(`${block}ffn.value.weight`, [width, 4 * width], 0.05);
  }
  norm("ln_out");
  return tensors;
}

/** Rows behind ln_out, in the order they were given. */
export function referenceBlocks(
  { layers, width }: BlocksShape,
  tensors: Map<string, FloatTensor>,
  vectors: Float32Array,
): Row[] {
  const weight = (name: string) => tensors.get(name)!.data;
  const normed = (name: string, x: Row) => layerNorm(x, weight(`${name}.weight`), weight(`${name}.bias`));
  let rows = Array.from(
    { length: vectors.length / width },
    (_, row) => normed("blocks.0.ln0", Float64Array.from(vectors.subarray(row * width, (row + 1) * width))),
  );
  let first_values: Row[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const backwards = layer % 2 === 1;
    if (backwards) [rows, first_values] = [rows.toReversed(), first_values.toReversed()];
    const block = `blocks.${layer}.`;
    const before = rows.map((x) => normed(`${block}ln1`, x));
    const { out, values } = timeMix(
      `${block}att.`,
      before,
      layer === 0 ? undefined : first_values,
      weight,
      width,
    );
    if (layer === 0) first_values = values;
    rows = rows.map((x, t) => x.map((value, i) => value + out[t][i]));
    const middle = rows.map((x) => normed(`${block}ln2`, x));
    const mixed = channelMix(`${block}ffn.`, middle, weight);
    rows = rows.map((x, t) => x.map((value, i) => value + mixed[t][i]));
    if (backwards) [rows, first_values] = [rows.toReversed(), first_values.toReversed()];
  }
  return rows.map((x) => normed("ln_out", x));
}

type Weights = (name: string) => Float32Array;

function timeMix(at: string, inputs: Row[], first_values: Row[] | undefined, weight: Weights, width: number) {
  const memory = new Float64Array(width * head_size); // per head: value channel, key channel
  const values: Row[] = [];
  let previous: Row = new Float64Array(width);
  const out = inputs.map((h, t) => {
    const mix = (name: string) => h.map((x, i) => x + (previous[i] - x) * weight(`${at}x_${name}`)[i]);
    const low = (name: string, x: Row, inner: (value: number) => number) =>
      rightMultiply(rightMultiply(x, weight(`${at}${name}1`)).map(inner), weight(`${at}${name}2`));
    const biased = (name: string, x: Row) => x.map((value, i) => value + weight(`${at}${name}0`)[i]);
    const r = multiply(weight(`${at}receptance.weight`), mix("r"));
    const k0 = multiply(weight(`${at}key.weight`), mix("k"));
    let v = multiply(weight(`${at}value.weight`), mix("v"));
    const decay = biased("w", low("w", mix("w"), Math.tanh)).map((z) =>
      Math.exp(-sigmoid(z) * Math.exp(-0.5))
    );
    const a = biased("a", low("a", mix("a"), (x) => x)).map(sigmoid);
    const g = low("g", mix("g"), sigmoid);
    if (first_values === undefined) values.push(v);
    else {
      const share = biased("v", low("v", mix("v"), (x) => x)).map(sigmoid);
      const own = v;
      v = own.map((value, i) => value + (first_values[t][i] - value) * share[i]);
    }
    const k = k0.map((value, i) => value * (1 + (a[i] - 1) * weight(`${at}k_a`)[i]));
    const y = new Float64Array(width);
    for (let head = 0; head < width / head_size; head++) {
      const from = head * head_size;
      const part = (x: Row) => x.subarray(from, from + head_size);
      const raw = part(k0).map((value, j) => value * weight(`${at}k_k`)[from + j]);
      const length = Math.max(Math.hypot(...raw), 1e-12);
      const kk = raw.map((value) => value / length);
      const spoken = new Float64Array(head_size);
      for (let i = 0; i < head_size; i++) {
        const state = memory.subarray((from + i) * head_size, (from + i + 1) * head_size);
        const removed = state.reduce((sum, value, j) => sum - value * kk[j], 0);
        for (let j = 0; j < head_size; j++) {
          state[j] = state[j] * decay[from + j] + removed * kk[j] * a[from + j] + v[from + i] * k[from + j];
          spoken[i] += state[j] * r[from + j];
        }
      }
      const gain = weight(`${at}ln_x.weight`).subarray(from, from + head_size);
      const shift = weight(`${at}ln_x.bias`).subarray(from, from + head_size);
      const bonus = part(r).reduce(
        (sum, value, j) => sum + value * k[from + j] * weight(`${at}r_k`)[from + j],
        0,
      );
      y.set(layerNorm(spoken, gain, shift, 64e-5).map((value, i) => value + bonus * v[from + i]), from);
    }
    previous = h;
    return multiply(weight(`${at}output.weight`), y.map((value, i) => value * g[i]));
  });
  return { out, values };
}

function channelMix(at: string, inputs: Row[], weight: Weights): Row[] {
  return inputs.map((h, t) => {
    const previous = t === 0 ? new Float64Array(h.length) : inputs[t - 1];
    const mixed = h.map((x, i) => x + (previous[i] - x) * weight(`${at}x_k`)[i]);
    const hidden = multiply(weight(`${at}key.weight`), mixed).map((value) => Math.max(value, 0) ** 2);
    return multiply(weight(`${at}value.weight`), hidden);
  });
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function layerNorm(x: Row, gain: Float32Array, shift: Float32Array, epsilon = 1e-5): Row {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  return x.map((value, i) => (value - mean) / Math.sqrt(variance + epsilon) * gain[i] + shift[i]);
}

/** W x, W stored [out, in]. */
function multiply(matrix: Float32Array, x: Row): Row {
  const out = new Float64Array(matrix.length / x.length);
  for (let row = 0; row < out.length; row++) {
    for (let column = 0; column < x.length; column++) out[row] += matrix[row * x.length + column] * x[column];
  }
  return out;
}

/** x M, M stored [in, out]. */
function rightMultiply(x: Row, matrix: Float32Array): Row {
  const out = new Float64Array(matrix.length / x.length);
  for (let row = 0; row < x.length; row++) {
    for (let column = 0; column < out.length; column++) {
      out[column] += x[row] * matrix[row * out.length + column];
    }
  }
  return out;
}
