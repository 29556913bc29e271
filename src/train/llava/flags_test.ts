import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { train_run_flags } from "../flags.ts";
import { flagsHelp, readTextFlags, readVisualFlags, text_flags, visual_flags } from "./flags.ts";

const needed = { load_model: "m.pth", data_file: "d.json" };

describe("readVisualFlags()", () => {
  it("has defaults that differ by stage", () => {
    const pretrain = readVisualFlags("pretrain", needed, "out");
    expect(pretrain).toMatchObject({
      ...{ paths: ["m.pth"], tower_paths: [], data_path: "d.json", ctx_len: 2048, max_rounds: 20 },
      ...{ image_position: "many", freeze_rwkv: undefined, freeze_proj: false, feature_dir: "out/features" },
      ...{ proj_type: undefined, tokens_per_image: undefined, l2wrap: 1e-4, save_dtype: "f32" },
    });
    expect(readVisualFlags("finetune", needed, "out").freeze_rwkv).toBe(0);
  });

  it("knows upstream's other names of the tower, and a projector of its own", () => {
    const words = {
      ...needed,
      vision_tower_path: "t",
      proj_path: "p",
      freeze_rwkv: "12",
      feature_cache: "off",
    };
    expect(readVisualFlags("finetune", words, "out")).toMatchObject({
      ...{ paths: ["m.pth", "p"], tower_paths: ["t"], freeze_rwkv: 12, feature_dir: undefined },
    });
  });

  const wrong: [Record<string, string>, string][] = [
    [{ load_model: "" }, "--load_model or --model_path"],
    [{ model_path: "x" }, "one of them"],
    [{ data_file: "" }, "--data_file is missing"],
    [{ data_type: "csv" }, 'Cannot use --data_type "csv": it is one of json'],
    [{ ctx_len: "0" }, "--ctx_len"],
    [{ ctx_len: "1e3" }, "--ctx_len"],
    [{ image_position: "left" }, "many, first, middle, last"],
    [{ proj_type: "big" }, "linear, mlp"],
    [{ freeze_proj: "yes" }, "one of 0, 1"],
    [{ l2wrap: "-1" }, "--l2wrap"],
  ];
  for (const [words, sentence] of wrong) {
    it(`refuses ${JSON.stringify(words)}`, () =>
      expect(() => readVisualFlags("pretrain", { ...needed, ...words }, "out")).toThrow(sentence));
  }
});

describe("readTextFlags()", () => {
  it("takes several files", () => {
    expect(readTextFlags({ data_file: "a.txt,b.jsonl", n_layer: "3" })).toMatchObject({
      ...{ data_paths: ["a.txt", "b.jsonl"], load_model: undefined, rwkv_version: 7 },
      sizes: { n_layer: 3, n_embd: undefined },
    });
  });
});

describe("the tables of flags", () => {
  it("explain every flag, and none twice", () => {
    for (const table of [visual_flags, text_flags]) {
      const names = [...table, ...train_run_flags].map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      for (const { meaning } of table) expect(meaning.length).toBeGreaterThan(5);
      const lines = flagsHelp(table).trimEnd().split("\n");
      expect(lines.length).toBe(table.length);
      for (const line of lines) expect(line.length).toBeLessThan(130);
    }
  });
});
