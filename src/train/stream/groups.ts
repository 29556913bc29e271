// How the tensors of a stream model are trained. Must not know data or runs.
import type { Group } from "../stage.ts";

export function streamGroup(name: string, dims: readonly number[], weight_decay: number): Group {
  const matrix = dims.filter((size) => size > 1).length >= 2 && name.endsWith(".weight") &&
    name !== "emb.weight";
  return { lr_scale: name.endsWith("att.w0") ? 2 : 1, weight_decay: matrix ? weight_decay : 0 };
}
