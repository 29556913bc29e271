import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import {
  gatedProjector,
  huggingFaceTower,
  languageShapes,
  type Shapes,
  smallSizes,
  tableCheckpoint,
  tableTensor,
} from "../../../tests/model/table_checkpoints.ts";
import { ImportError } from "./import_error.ts";
import { inspect } from "./inspect.ts";

const linear: Shapes = { "proj.weight": [128, 128] };
const v60 = () => ({ ...languageShapes(6, "rwkv."), ...huggingFaceTower("clip"), ...linear });
const v701 = () => ({ ...languageShapes(7, "rwkv."), ...huggingFaceTower("siglip"), ...gatedProjector(128) });
const compressor = () =>
  Object.fromEntries(
    Object.entries(languageShapes(7, "vtc.")).filter(([name]) => !/\.(emb|head)\.weight$/.test(name)),
  );

function refusal(...given: Parameters<typeof inspect>): string {
  try {
    inspect(...given);
  } catch (error) {
    expect(error).toBeInstanceOf(ImportError);
    expect((error as ImportError).code).toBe("import_refused");
    return (error as ImportError).message;
  }
  throw new Error("it was not refused");
}

const without = (shapes: Shapes, ...names: string[]): Shapes =>
  Object.fromEntries(Object.entries(shapes).filter(([name]) => !names.includes(name)));

describe("inspect(): language models", () => {
  for (const generation of [5, 6, 7] as const) {
    it(`reads the sizes of RWKV-${generation} from shapes`, () => {
      const found = inspect(tableCheckpoint(languageShapes(generation)));
      expect(found.language.sizes).toEqual(smallSizes(generation));
      expect([found.spelling, found.vision, found.unused]).toEqual(["official", undefined, []]);
      expect(found.language.tensors.map(({ name }) => name)).toEqual(Object.keys(languageShapes(generation)));
    });
  }

  it("takes flat vectors, gives official shapes, and leaves dead weights out", () => {
    const flat = Object.fromEntries(
      Object.entries(languageShapes(7)).map(([name, shape]) => [name, shape.filter((size) => size !== 1)]),
    );
    const found = inspect(
      tableCheckpoint({ ...flat, "blocks.0.att.v0": [128], "blocks.1.att.r_k": [128] }),
    );
    const shapes = new Map(found.language.tensors.map(({ name, shape }) => [name, shape]));
    expect([shapes.get("blocks.0.att.x_r"), shapes.get("blocks.1.att.r_k")]).toEqual([[1, 1, 128], [2, 64]]);
    expect(shapes.has("blocks.0.att.v0")).toBe(false);
    expect(found.unused).toEqual(["blocks.0.att.v0"]);
  });

  it("lists what is missing and what has another shape, all at once", () => {
    const shapes = {
      ...without(languageShapes(7), "blocks.1.att.g2", "ln_out.bias", "head.weight"),
      "blocks.0.att.key.weight": [128, 64],
    };
    const message = refusal(tableCheckpoint(shapes));
    expect(message).toContain('missing "blocks.1.att.g2", "ln_out.bias", "head.weight"');
    expect(message).toContain('"blocks.0.att.key.weight" is [128, 64] instead of [128, 128]');
    expect(message).toMatch(/^Cannot import "x\.pth":\n/);
  });

  it("counts what it does not list", () => {
    const half = Object.fromEntries(
      Object.entries(languageShapes(7)).filter(([name]) => !name.includes("blocks.1")),
    );
    const message = refusal(tableCheckpoint({ ...half, "blocks.1.ln1.weight": [128] }));
    expect(message).toMatch(/missing ("[^"]+", ){7}"[^"]+" and \d\d more/);
  });

  const strangers: [string, Shapes, string][] = [
    ["DeepEmbed", { ...languageShapes(7), "blocks.0.ffn.s_emb.weight": [768, 32] }, "DeepEmbed"],
    ["DeepEmbed's matrices", { ...languageShapes(7), "blocks.1.ffn.s0": [32, 128] }, "DeepEmbed"],
    [
      "RWKV-4",
      { "emb.weight": [8, 64], "blocks.0.att.time_first": [64], "blocks.0.att.time_decay": [64] },
      "RWKV-4",
    ],
    ["cross blocks", { ...v60(), "rwkv.cross_blocks.0.att.key.weight": [128, 128] }, "v6.23"],
    ["a hybrid", { ...v60(), "rwkv.tiny_q.weight": [128, 128] }, "v5.2"],
    ["cross states", { ...v60(), "rwkv.blocks.0.ln3.weight": [128] }, "v6.22"],
    ["the encoder-free model", { ...languageShapes(7, "rwkv."), "rwkv.blocks.0.ffn_v.x_k": [128] }, "v7.10"],
    ["its conv", { ...languageShapes(7, "rwkv."), "vrwkv.emb.weight": [128, 3, 16, 16] }, "v7.10"],
    ["WorldRWKV", { "llm.emb.weight": [8, 64], "proj.mlp.0.weight": [64, 64] }, "WorldRWKV"],
    ["a transformer", { "model.layers.0.self_attn.q_proj.weight": [64, 64] }, "transformer"],
    ["an adapter", { ...languageShapes(7), "blocks.0.att.key.lora_A": [8, 128] }, "adapter"],
    [
      "an unknown tensor",
      { ...languageShapes(7), "blocks.0.att.secret": [1] },
      'unknown tensor "blocks.0.att.secret"',
    ],
    ["nothing", {}, "no language model"],
    ["a tower alone", huggingFaceTower("clip"), "no language model"],
    [
      "another width",
      { ...languageShapes(7), "emb.weight": [768, 100], "head.weight": [768, 100] },
      "multiple of 64",
    ],
    ["a layer out of the world", { ...languageShapes(7), "blocks.99999.ln1.weight": [128] }, "layer 99999"],
    ["two spellings", { ...languageShapes(7), "lm_head.weight": [768, 128] }, "two ways"],
  ];
  for (const [what, shapes, words] of strangers) {
    it(`refuses ${what} by name`, () => expect(refusal(tableCheckpoint(shapes))).toContain(words));
  }

  it("refuses counters in the place of weights", () => {
    const checkpoint = tableCheckpoint(languageShapes(7));
    (checkpoint.tensors as Map<string, unknown>).set(
      "emb.weight",
      tableTensor("emb.weight", [768, 128], "i64"),
    );
    expect(refusal(checkpoint)).toContain('no weights but i64: "emb.weight"');
  });

  const settings: [string, Record<string, unknown>, string][] = [
    ["head size", { "general.architecture": "rwkv7", "rwkv7.wkv.head_size": 32 }, "heads have 32 channels"],
    ["head size of fla", { "config.json": { head_dim: 128 } }, "heads have 128 channels"],
    ["epsilon", { "config.json": { norm_eps: 1e-6 } }, "epsilon of 0.000001; 0.00001 is supported"],
    [
      "rescaling",
      { "general.architecture": "rwkv6", "rwkv6.rescale_every_n_layers": 0.5 },
      "rescale_every_n_layers is 0.5",
    ],
  ];
  for (const [what, metadata, words] of settings) {
    it(`refuses another ${what}, which no shape shows`, () =>
      expect(refusal(tableCheckpoint(languageShapes(7), { metadata }))).toContain(words));
  }

  it("takes the settings that are ours", () => {
    const metadata = { "config.json": { head_dim: 64, norm_eps: 1e-5 } };
    expect(inspect(tableCheckpoint(languageShapes(7), { metadata })).language.sizes.layers).toBe(2);
  });

  it("refuses a GGUF of another architecture", () => {
    const checkpoint = tableCheckpoint({}, { metadata: { "general.architecture": "llama" } });
    expect(refusal(checkpoint)).toContain('architecture "llama"');
  });
});

describe("inspect(): towers, projectors and versions", () => {
  const versionOf = (...given: Parameters<typeof inspect>) => inspect(...given).vision!.choice;

  it("tells v6.0 by its tower, projector and language model", () => {
    const { vision, unused } = inspect(
      tableCheckpoint({ ...v60(), "vit.vision_model.embeddings.position_ids": [1, 17] }),
    );
    expect(vision!.choice).toMatchObject({ version: { name: "v6.0" }, assumed: undefined });
    expect(vision!.towers.encoders).toMatchObject([{
      kind: "clip",
      width: 128,
      layers: 2,
      grid: 4,
      patch_px: 14,
    }]);
    expect(unused.toSorted()).toEqual([
      "vit.vision_model.embeddings.position_ids",
      "vit.vision_model.post_layernorm.bias",
      "vit.vision_model.post_layernorm.weight",
    ]);
  });

  it("takes both spellings of Hugging Face's towers", () => {
    const shapes = { ...languageShapes(6, "rwkv."), ...huggingFaceTower("clip", "vit."), ...linear };
    expect(versionOf(tableCheckpoint(shapes)).version.name).toBe("v6.0");
  });

  it("takes v5.0, whose language model has no prefix", () => {
    const shapes = { ...languageShapes(5), ...huggingFaceTower("clip"), ...linear };
    expect(versionOf(tableCheckpoint(shapes)).version.name).toBe("v5.0");
  });

  it("says what it assumed where tensors cannot tell, and believes the file's name and --version", () => {
    expect(versionOf(tableCheckpoint(v701()))).toMatchObject({
      version: { name: "v7.01" },
      assumed:
        "Its tensors fit v7.01c, v7.02 as well; taken as v7.01, the first that fits. --version says otherwise.",
    });
    const named = tableCheckpoint(v701(), { path: "d/VisualRWKV-v0702-0B1-v1.0.pth" });
    expect(versionOf(named)).toMatchObject({ version: { name: "v7.02" } });
    const wanted = versionOf(tableCheckpoint(v701()), undefined, { version: "7.01_contrastive" });
    expect(wanted).toMatchObject({ version: { name: "v7.01c" }, assumed: undefined });
  });

  it("tells compressors", () => {
    const choice = versionOf(tableCheckpoint({ ...v701(), ...compressor() }));
    expect(choice.version.name).toBe("v7.03");
    const damaged = without({ ...v701(), ...compressor() }, "vtc.blocks.0.ln0.weight");
    expect(refusal(tableCheckpoint(damaged))).toContain('token compressor: missing "blocks.0.ln0.weight"');
  });

  it("refuses a version that the file is not, and says why", () => {
    const message = refusal(tableCheckpoint(v60()), undefined, { version: "v7.00" });
    expect(message).toContain("it is not v7.00: it is made with RWKV-7, the file has RWKV-6");
    expect(refusal(tableCheckpoint(v60()), undefined, { version: "v9" })).toContain(
      'no version "v9"; known are v5.0',
    );
    expect(refusal(tableCheckpoint(languageShapes(7)), undefined, { version: "v7.00" })).toContain(
      "no vision tower",
    );
  });

  it("refuses a mixture that was never released, unless asked to take it", () => {
    const mixture = { ...languageShapes(7, "rwkv."), ...huggingFaceTower("clip"), ...linear };
    expect(refusal(tableCheckpoint(mixture))).toContain(
      "no known VisualRWKV version has RWKV-7 with CLIP with a projector of the kind linear",
    );
    expect(versionOf(tableCheckpoint(mixture), undefined, { version: "plain" }).version.name).toBe("plain");
  });

  it("puts a tower of its own before a plain language model", () => {
    const tower = tableCheckpoint({
      ...huggingFaceTower("siglip", "vision_model."),
      "text_model.embeddings.token_embedding.weight": [8, 128],
      logit_scale: [],
      logit_bias: [],
    });
    const { vision, unused } = inspect(tableCheckpoint(languageShapes(7)), tower);
    expect(vision).toMatchObject({ projector: undefined, choice: { version: { name: "plain" } } });
    expect(unused).toContain("logit_scale");
  });

  const faults: [string, () => Shapes, string][] = [
    [
      "a projector for other towers",
      () => ({ ...v60(), "proj.weight": [128, 99] }),
      "reads 99 features, the towers make 128",
    ],
    [
      "a projector for another model",
      () => ({ ...v60(), "proj.weight": [64, 128] }),
      "width 64, the language model has 128",
    ],
    [
      "an unknown projector",
      () => ({ ...without(v60(), "proj.weight"), "proj.mlp.0.weight": [1] }),
      "none of the released",
    ],
    [
      "a tower without a layer's norm",
      () => without(v60(), "vit.vision_model.encoder.layers.1.layer_norm2.bias"),
      'CLIP: missing "encoder.layers.1.layer_norm2.bias"',
    ],
    [
      "positions that are no grid",
      () => ({ ...v60(), "vit.vision_model.embeddings.position_embedding.weight": [19, 128] }),
      "no square grid",
    ],
    [
      "a projector without a tower",
      () => ({ ...languageShapes(6, "rwkv."), ...linear }),
      "--tower FILE brings",
    ],
    [
      "an unknown tensor of the tower",
      () => ({ ...v60(), "vit.vision_model.extra": [1] }),
      '"vit.vision_model.extra"',
    ],
  ];
  for (const [what, shapes, words] of faults) {
    it(`refuses ${what}`, () => expect(refusal(tableCheckpoint(shapes()))).toContain(words));
  }

  it("refuses a second tower, and a language model as a tower", () => {
    const tower = tableCheckpoint(huggingFaceTower("clip"));
    expect(refusal(tableCheckpoint(v60()), tower)).toContain("--tower gives another one");
    expect(refusal(tableCheckpoint(languageShapes(7)), tableCheckpoint(languageShapes(7)))).toContain(
      "hold a language model, too",
    );
  });
});
