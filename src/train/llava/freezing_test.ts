import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { groupOf } from "./freezing.ts";

const tensors: [string, number[]][] = [
  ["emb.weight", [300, 64]],
  ["blocks.0.ln0.weight", [64]],
  ["blocks.0.att.key.weight", [64, 64]],
  ["blocks.2.att.x_r", [1, 1, 64]],
  ["blocks.2.att.w1", [64, 8]],
  ["blocks.11.ffn.key.weight", [256, 64]],
  ["ln_out.bias", [64]],
  ["head.weight", [300, 64]],
  ["proj.o_proj.weight", [64, 32]],
  ["proj.ln_v.weight", [64]],
];
const trained = (freeze_rwkv: number, freeze_proj = false) =>
  tensors.filter(([name, dims]) =>
    groupOf(name, dims, { layers: 12, freeze_rwkv, freeze_proj, weight_decay: 0.1 }).lr_scale > 0
  ).map(([name]) => name);

describe("groupOf()", () => {
  const all = tensors.map(([name]) => name);
  it("never trains the embedding", () => {
    expect(trained(0)).toEqual(all.slice(1));
  });

  it("freezes the first blocks, or, with as many as there are, the language model", () => {
    expect(trained(2)).toEqual(all.slice(3));
    expect(trained(3)).toEqual(all.slice(5));
    expect(trained(12)).toEqual(["proj.o_proj.weight", "proj.ln_v.weight"]);
    expect(trained(24)).toEqual(trained(12));
    // 24 of a model of 12 layers is all; 11 leaves one block, the end and the projector.
    expect(trained(11)).toEqual(all.slice(5));
  });

  it("freezes the projector", () => {
    expect(trained(0, true)).toEqual(all.slice(1, 8));
    expect(trained(12, true)).toEqual([]);
  });

  it("decays what has two dimensions that are not 1, and nothing that is frozen", () => {
    const decay = tensors.map(([name, dims]) =>
      groupOf(name, dims, { layers: 12, freeze_rwkv: 1, freeze_proj: false, weight_decay: 0.1 }).weight_decay
    );
    expect(decay).toEqual([0, 0, 0, 0, 0.1, 0.1, 0, 0.1, 0.1, 0]);
  });
});
