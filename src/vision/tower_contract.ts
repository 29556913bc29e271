// What a vision.onnx must be: one uint8 [N, H, W, 3] in, one float32 [N, K, D] out. Pure; must not know ONNX
// Runtime.
import type { PortShape } from "./messages.ts";

export interface TowerShape {
  width_px: number;
  height_px: number;
  /** K. */
  vectors_per_frame: number;
  /** D. */
  vector_width: number;
}

/** Everything that does not fit, as sentences; a size left open by the model fits. */
export function findMisfits(
  inputs: readonly PortShape[],
  outputs: readonly PortShape[],
  tower: TowerShape,
): string[] {
  const { width_px, height_px, vectors_per_frame, vector_width } = tower;
  return [
    ...comparePorts("input", inputs, "uint8", [height_px, width_px, 3]),
    ...comparePorts("output", outputs, "float32", [vectors_per_frame, vector_width]),
  ];
}

/** True when one run may take several frames. */
export function takesBatches(inputs: readonly PortShape[]): boolean {
  return typeof inputs[0]?.shape[0] === "string";
}

function comparePorts(
  side: string,
  ports: readonly PortShape[],
  type: string,
  sizes: readonly number[],
): string[] {
  if (ports.length !== 1) return [`it has ${ports.length} ${side}s, one is wanted`];
  const [port] = ports;
  const wanted = `${type} [N, ${sizes.join(", ")}]`;
  const found = `${port.type} [${port.shape.join(", ")}]`;
  const fits = port.type === type && port.shape.length === sizes.length + 1 &&
    (typeof port.shape[0] === "string" || port.shape[0] === 1) &&
    sizes.every((size, index) => typeof port.shape[index + 1] === "string" || port.shape[index + 1] === size);
  return fits ? [] : [`its ${side} "${port.name}" is ${found}, wanted is ${wanted}`];
}
