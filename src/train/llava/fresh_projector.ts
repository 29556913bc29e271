// A projector that nobody has trained: torch's own start (spec 6.9), for each of the released layouts (spec 2.6).
// Must not know towers or files.
import { randomStream } from "../../random.ts";
import type { ProjectorKind } from "../../model/import/tower_port.ts";
import type { NamedTensor } from "../ports.ts";

/** --proj_type of the released scripts; "mlp" there means the gate of that version, here v7's. */
export const projector_types = ["linear", "mlp", "gate_before", "gate_after", "relu"] as const;
export type ProjectorType = typeof projector_types[number];

export function projectorKind(type: ProjectorType): ProjectorKind {
  return type === "mlp" ? "gate_before" : type;
}

/** `inputs`: F. `width`: D. Names carry "proj.". The same numbers on every machine for the same seed. */
export function freshProjector(
  kind: ProjectorKind,
  inputs: number,
  width: number,
  seed: number,
): Map<string, NamedTensor> {
  const tensors = new Map<string, NamedTensor>();
  const matrix = (name: string, rows: number, columns: number) => {
    const next = randomStream(seed, name);
    const bound = 1 / Math.sqrt(columns);
    tensors.set(name, {
      dims: [rows, columns],
      data: Float32Array.from({ length: rows * columns }, () => bound * next()),
    });
  };
  switch (kind) {
    case "linear":
      matrix("proj.weight", width, inputs);
      break;
    case "gate_before":
      matrix("proj.gate.weight", inputs, inputs);
      matrix("proj.o_proj.weight", width, inputs);
      tensors.set("proj.ln_v.weight", { dims: [width], data: new Float32Array(width).fill(1) });
      tensors.set("proj.ln_v.bias", { dims: [width], data: new Float32Array(width) });
      break;
    case "gate_after":
    case "relu":
      matrix("proj.proj.weight", width, inputs);
      // Stored by UHD and never used; left out, it is the same projector.
      if (kind === "gate_after") matrix("proj.gate.weight", width, width);
      matrix("proj.o_proj.weight", width, width);
      break;
  }
  return tensors;
}
