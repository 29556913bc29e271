// safetensors and GGUF files made by hand, so that tests can make them wrong. Must not know the importer.
import { type Bytes, bytesOf, little } from "./torch_samples.ts";

/** `header` as it is, or as JSON. */
export function safetensorsOf(header: unknown, data: Uint8Array, claimed_bytes?: number | bigint): Bytes {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  return bytesOf(little(claimed_bytes ?? text.length, 8), text, data);
}

export function sampleSafetensors(): { bytes: Bytes; header_bytes: number } {
  const header = {
    __metadata__: { format: "pt", 'a"b\\': "{" },
    "emb.weight": { dtype: "F32", shape: [4, 6], data_offsets: [0, 96] },
    "half": { dtype: "BF16", shape: [2, 3], data_offsets: [96, 108] },
    "scalar": { dtype: "F16", shape: [], data_offsets: [108, 110] },
    "none": { dtype: "I64", shape: [0, 7], data_offsets: [110, 110] },
  };
  const data = Uint8Array.from({ length: 110 }, (_, i) => i);
  const bytes = safetensorsOf(header, data);
  return { bytes, header_bytes: bytes.length - data.length };
}

export const gguf = {
  text: (text: string) => {
    const bytes = new TextEncoder().encode(text);
    return bytesOf(little(bytes.length, 8), bytes);
  },
  u32: (key: string, value: number) => bytesOf(gguf.text(key), little(4, 4), little(value, 4)),
  string: (key: string, value: string) => bytesOf(gguf.text(key), little(8, 4), gguf.text(value)),
  /** `type` is the number of the elements' type, `elements` their bytes. */
  array: (key: string, type: number, count: number | bigint, ...elements: Uint8Array[]) =>
    bytesOf(gguf.text(key), little(9, 4), little(type, 4), little(count, 8), ...elements),
  /** `sizes` in the file's order, innermost first. */
  tensor: (name: string, sizes: readonly (number | bigint)[], type: number, offset: number | bigint) =>
    bytesOf(
      gguf.text(name),
      little(sizes.length, 4),
      ...sizes.map((size) => little(size, 8)),
      little(type, 4),
      little(offset, 8),
    ),
};

export interface GgufParts {
  version?: number;
  pairs?: readonly Bytes[];
  tensors?: readonly Bytes[];
  tensor_count?: number | bigint;
  pair_count?: number | bigint;
  alignment?: number;
  data?: Uint8Array;
}

export function ggufOf(parts: GgufParts): Bytes {
  const { version = 3, pairs = [], tensors = [], alignment = 32, data = new Uint8Array() } = parts;
  const header = bytesOf(
    "GGUF",
    little(version, 4),
    little(parts.tensor_count ?? tensors.length, 8),
    little(parts.pair_count ?? pairs.length, 8),
    ...pairs,
    ...tensors,
  );
  const padding = new Uint8Array(Math.ceil(header.length / alignment) * alignment - header.length);
  return bytesOf(header, padding, data);
}

export function sampleGguf(): { bytes: Bytes; header_bytes: number } {
  const words = Array.from({ length: 300 }, (_, i) => gguf.text(`token ${i}`));
  const data = Uint8Array.from({ length: 96 + 32 + 68 }, (_, i) => i % 60);
  const bytes = ggufOf({
    pairs: [
      gguf.string("general.architecture", "rwkv7"),
      gguf.u32("rwkv7.block_count", 2),
      gguf.u32("general.alignment", 32),
      gguf.array("short", 5, 3, little(-1, 4), little(2, 4), little(3, 4)),
      gguf.array("tokenizer.ggml.tokens", 8, words.length, ...words),
      gguf.array("tokenizer.ggml.scores", 6, 400, new Uint8Array(1600)),
      bytesOf(gguf.text("big"), little(10, 4), little(2n ** 60n, 8)),
      bytesOf(gguf.text("flag"), little(7, 4), 1),
    ],
    tensors: [
      gguf.tensor("token_embd.weight", [6, 4], 0, 0),
      gguf.tensor("output_norm.weight", [6], 30, 96),
      gguf.tensor("output.weight", [32, 2], 8, 128),
    ],
    data,
  });
  return { bytes, header_bytes: bytes.length - data.length };
}
