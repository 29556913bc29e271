// The numbers that GGUF gives to tensor types (enum ggml_type). Must not know how they are decoded.
import type { CheckpointTensor } from "./checkpoint.ts";

const read_types = new Map<number, CheckpointTensor["type"]>([
  [0, "f32"],
  [1, "f16"],
  [2, "q4_0"],
  [3, "q4_1"],
  [6, "q5_0"],
  [7, "q5_1"],
  [8, "q8_0"],
  [10, "q2_k"],
  [11, "q3_k"],
  [12, "q4_k"],
  [13, "q5_k"],
  [14, "q6_k"],
  [24, "i8"],
  [25, "i16"],
  [26, "i32"],
  [27, "i64"],
  [28, "f64"],
  [30, "bf16"],
]);

/** Known and not read: named in the refusal. */
const other_types = new Map<number, string>([
  [9, "Q8_1"],
  [15, "Q8_K"],
  [16, "IQ2_XXS"],
  [17, "IQ2_XS"],
  [18, "IQ3_XXS"],
  [19, "IQ1_S"],
  [20, "IQ4_NL"],
  [21, "IQ3_S"],
  [22, "IQ2_S"],
  [23, "IQ4_XS"],
  [29, "IQ1_M"],
  [34, "TQ1_0"],
  [35, "TQ2_0"],
  [39, "MXFP4"],
  [40, "NVFP4"],
  [41, "Q1_0"],
]);

/** `type` is undefined when the type is not read. */
export function ggufType(number: number): { type: CheckpointTensor["type"] | undefined; name: string } {
  const type = read_types.get(number);
  return { type, name: type?.toUpperCase() ?? other_types.get(number) ?? `number ${number}` };
}
