// A released checkpoint made of random numbers: true names, true shapes, bf16, one safetensors file. Must not know what
// becomes of it.
import { randomBf16 } from "./random_bytes.ts";
import { checkpointTensors, type Released } from "./released.ts";

/** An entry for the writer of safetensors files. */
export interface RandomEntry {
  name: string;
  type: "bf16";
  shape: readonly number[];
  chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

export function randomCheckpoint(released: Released): RandomEntry[] {
  return checkpointTensors(released).map((spec, number) => ({
    name: spec.name,
    type: "bf16",
    shape: spec.shape,
    chunks: () => randomBf16(spec, number),
  }));
}
