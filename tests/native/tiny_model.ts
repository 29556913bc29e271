// The tiny RWKV-7 of the specification (appendix A.4) as a safetensors file: deterministic pseudo-weights,
// V 32, D 128, L 2, heads of 64. Also a writer of safetensors bytes for tests that break them.

export interface TensorSpec {
  shape: number[];
  /** Values are offset + scale · x, x in [-1, 1). */
  scale: number;
  offset: number;
}

export interface Tensor {
  shape: number[];
  values: Float32Array<ArrayBuffer>;
}

export const tiny_sizes = { vocab: 32, width: 128, layers: 2, head_size: 64 } as const;
export const tiny_tokens = [1, 5, 9, 3, 7];

/** The float64 golden numbers after tiny_tokens from the zero state. */
export const tiny_golden = {
  logits_first: [.50442733, -.97746170, -.87379759, -.38724072, .38832692, .10221201],
  logits_last: [-.22252144, -.31035827, -.18160088, -.21055550, -.22845531, -.47686193],
  last_argmax: 23,
  last_sum: -1.6272305042,
  s_sum: [4.1234031347, -26.1022597437],
  s_0_1_2: [.0112883951, .4253010004],
  att_prev_0: [.3386295198, .3568394690],
  ffn_prev_0: [.2333670676, .3616854910],
} as const;

function product(shape: number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Element stream of the n-th tensor: a linear congruential generator, in uint32 arithmetic. */
export function pseudoWeights(n: number, { shape, scale, offset }: TensorSpec): Float32Array<ArrayBuffer> {
  let x = Math.imul(n + 1, 2654435761) >>> 0;
  return new Float32Array(product(shape)).map(() => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return offset + scale * (x / 2147483648 - 1);
  });
}

function rwkv7Spec(): Record<string, TensorSpec> {
  const { vocab, width, layers } = tiny_sizes;
  const spec: Record<string, TensorSpec> = {};
  const add = (name: string, shape: number[], scale: number, offset = 0) => {
    spec[name] = { shape, scale, offset };
  };
  const norm = (name: string) => {
    add(`${name}.weight`, [width], .1, 1);
    add(`${name}.bias`, [width], .1);
  };
  add("emb.weight", [vocab, width], 1);
  add("head.weight", [vocab, width], .1);
  norm("ln_out");
  norm("blocks.0.ln0");
  for (let layer = 0; layer < layers; layer++) {
    const block = `blocks.${layer}.`, att = `${block}att.`;
    const lowRank = (name: string, rank: number) => {
      add(`${att}${name}1`, [width, rank], .2);
      add(`${att}${name}2`, [rank, width], .2);
    };
    for (const name of ["ln1", "ln2", "att.ln_x"]) norm(block + name);
    for (const name of ["x_r", "x_w", "x_k", "x_v", "x_a", "x_g"]) add(att + name, [width], .5, .5);
    add(`${att}w0`, [width], 3, -2);
    add(`${att}a0`, [width], 1);
    add(`${att}k_k`, [width], .2, .8);
    add(`${att}k_a`, [width], .2, 1);
    add(`${att}r_k`, [width / 64, 64], .1);
    lowRank("w", 16);
    lowRank("a", 16);
    lowRank("g", 24);
    if (layer > 0) {
      add(`${att}v0`, [width], 1);
      lowRank("v", 8);
    }
    for (const name of ["receptance", "key", "value", "output"]) {
      add(`${att}${name}.weight`, [width, width], .15);
    }
    add(`${block}ffn.x_k`, [width], .5, .5);
    add(`${block}ffn.key.weight`, [4 * width, width], .15);
    add(`${block}ffn.value.weight`, [width, 4 * width], .05);
  }
  return spec;
}

/** All 69 tensors, numbered in ASCII order of their names. */
export function tinyTensors(): Record<string, Tensor> {
  const spec = rwkv7Spec();
  return Object.fromEntries(
    Object.keys(spec).sort().map((name, n) => [name, {
      shape: spec[name]!.shape,
      values: pseudoWeights(n, spec[name]!),
    }]),
  );
}

/** An F32 safetensors file. */
export function safetensorsBytes(tensors: Record<string, Tensor>): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    header[name] = { dtype: "F32", shape, data_offsets: [at, at + values.byteLength] };
    at += values.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + at);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  let to = 8 + json.length;
  for (const { values } of Object.values(tensors)) {
    bytes.set(new Uint8Array(values.buffer), to);
    to += values.byteLength;
  }
  return bytes;
}

/** Writes the tiny model, runs `body` with its path, removes it again. */
export async function withTinyModel<T>(
  body: (path: string) => Promise<T>,
  change?: (tensors: Record<string, Tensor>) => void,
): Promise<T> {
  const path = await Deno.makeTempFile({ prefix: "tiny_rwkv7_", suffix: ".safetensors" });
  try {
    const tensors = tinyTensors();
    change?.(tensors);
    await Deno.writeFile(path, safetensorsBytes(tensors));
    return await body(path);
  } finally {
    await Deno.remove(path);
  }
}
