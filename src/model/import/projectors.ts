// Which of the released projectors the tensors are. Three layouts share one class upstream, so only names and shapes
// decide. Must not know files, towers or language models.
import { compare, problemsOf, type TensorTable } from "./tensor_table.ts";
import type { ProjectorKind } from "./tower_port.ts";

export interface FoundProjector {
  kind: ProjectorKind;
  /** Of the features. */
  inputs: number;
  /** Of the vectors. */
  outputs: number;
  problems: string[];
  /** There, known and never read. */
  unused: string[];
  unknown: string[];
}

/**
 * Undefined when there are no tensors at all; a sentence part when the layout is none of the known. `feature_width` is
 * that of the towers: the HD and UHD layouts have the same names, and UHD reads the features of two views.
 */
export function findProjector(
  table: TensorTable,
  feature_width: number,
): FoundProjector | string | undefined {
  if (table.size === 0) return undefined;
  const shape = (name: string) => table.get(name)?.shape ?? [];
  const [outputs = 0, inputs = 0] = table.has("ln_v.weight")
    ? shape("o_proj.weight")
    : table.has("proj.weight")
    ? shape("proj.weight")
    : shape("weight");
  const kind: ProjectorKind | undefined = table.has("ln_v.weight")
    ? "gate_before"
    : table.has("proj.weight")
    ? (inputs === 2 * feature_width ? "relu" : "gate_after")
    : table.has("weight")
    ? "linear"
    : undefined;
  if (kind === undefined) {
    return `its projector is none of the released ones; it has ${[...table.keys()].slice(0, 8).join(", ")}`;
  }
  const wanted = wantedOf(kind, inputs, outputs);
  const unused = kind === "relu" && table.has("gate.weight") ? ["gate.weight"] : [];
  if (kind === "linear" && table.has("bias")) wanted.set("bias", [outputs]);
  const unknown = [...table.keys()].filter((name) => !wanted.has(name) && !unused.includes(name));
  return {
    kind,
    inputs,
    outputs,
    problems: problemsOf("projector", compare(table, wanted)),
    unused,
    unknown,
  };
}

function wantedOf(kind: ProjectorKind, inputs: number, outputs: number): Map<string, number[]> {
  switch (kind) {
    case "linear":
      return new Map([["weight", [outputs, inputs]]]);
    case "gate_after":
      return new Map([
        ["proj.weight", [outputs, inputs]],
        ["gate.weight", [outputs, outputs]],
        ["o_proj.weight", [outputs, outputs]],
      ]);
    case "relu":
      return new Map([["proj.weight", [outputs, inputs]], ["o_proj.weight", [outputs, outputs]]]);
    case "gate_before":
      return new Map([
        ["gate.weight", [inputs, inputs]],
        ["o_proj.weight", [outputs, inputs]],
        ["ln_v.weight", [outputs]],
        ["ln_v.bias", [outputs]],
      ]);
  }
}
