// What a vision.onnx must be: uint8 [N * views, H, W, 3] in, once per size that its towers see; one float32 [N, K, D]
// out. Pure; must not know ONNX Runtime.
import type { PortShape } from "./messages.ts";
import type { GraphInput } from "./views.ts";

export interface TowerShape {
  /** By name, at least one. */
  inputs: readonly GraphInput[];
  /** Pictures of one tile: 1, 2 with the frame before, or 5 with its quarters. */
  views: number;
  /** K of one tile; undefined: whatever the tower gives. */
  vectors?: number;
  /** D. */
  vector_width: number;
}

/** Everything that does not fit, as sentences; a size left open by the model fits. */
export function findMisfits(
  inputs: readonly PortShape[],
  outputs: readonly PortShape[],
  tower: TowerShape,
): string[] {
  return [...compareInputs(inputs, tower), ...compareOutputs(outputs, tower)];
}

/** True when one run may take several tiles. */
export function takesBatches(inputs: readonly PortShape[]): boolean {
  return inputs.length > 0 && inputs.every(({ shape }) => typeof shape[0] === "string");
}

function compareInputs(ports: readonly PortShape[], { inputs, views }: TowerShape): string[] {
  if (ports.length !== inputs.length) return [countMisfit("input", ports.length, inputs.length)];
  return inputs.flatMap(({ name, width_px, height_px }) => {
    const port = ports.find((port) => port.name === name);
    if (port !== undefined) return comparePort("input", port, "uint8", views, [height_px, width_px, 3]);
    return [`it has no input "${name}", but ${ports.map((port) => `"${port.name}"`).join(", ")}`];
  });
}

function compareOutputs(ports: readonly PortShape[], { vectors, vector_width }: TowerShape): string[] {
  if (ports.length !== 1) return [countMisfit("output", ports.length, 1)];
  return comparePort("output", ports[0], "float32", 1, [vectors ?? "K", vector_width]);
}

function countMisfit(side: string, found: number, wanted: number): string {
  return `it has ${found} ${side}s, ${wanted === 1 ? "one is" : `${wanted} are`} wanted`;
}

/** `each` is how many rows of the port belong to one of the batch. A text in `sizes` fits every size. */
function comparePort(
  side: string,
  port: PortShape,
  type: string,
  each: number,
  sizes: readonly (number | string)[],
): string[] {
  const wanted = `${type} [${each === 1 ? "N" : `${each} N`}, ${sizes.join(", ")}]`;
  const found = `${port.type} [${port.shape.join(", ")}]`;
  const fits = port.type === type && port.shape.length === sizes.length + 1 &&
    [each, ...sizes].every((size, index) =>
      typeof size === "string" || typeof port.shape[index] === "string" || port.shape[index] === size
    );
  return fits ? [] : [`its ${side} "${port.name}" is ${found}, wanted is ${wanted}`];
}
