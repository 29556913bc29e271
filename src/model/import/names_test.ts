import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { tableCheckpoint, tableTensor } from "../../../tests/model/table_checkpoints.ts";
import { fromFla } from "./fla_names.ts";
import { fromGguf, type GgufArchitecture } from "./gguf_names.ts";
import { defaultLicence, defaultName } from "./names_of_files.ts";
import { explainUnknown } from "./strangers.ts";
import { findVersion, versionInFileName } from "./versions.ts";

describe("names of flash-linear-attention", () => {
  const cases: [string, number[], string | undefined, number[]?][] = [
    ["model.embeddings.weight", [8, 4], "emb.weight"],
    ["lm_head.weight", [8, 4], "head.weight"],
    ["model.norm.bias", [4], "ln_out.bias"],
    ["model.layers.0.pre_norm.weight", [4], "blocks.0.ln0.weight"],
    ["model.layers.3.ffn_norm.bias", [4], "blocks.3.ln2.bias"],
    ["model.layers.3.attn.g_norm.weight", [4], "blocks.3.att.ln_x.weight"],
    ["model.layers.12.attn.o_proj.weight", [4, 4], "blocks.12.att.output.weight"],
    ["model.layers.3.attn.x_a", [1, 1, 4], "blocks.3.att.x_a"],
    ["model.layers.3.ffn.x_k", [4], "blocks.3.ffn.x_k"],
    ["model.layers.3.attn.g_lora.lora.0.weight", [2, 4], "blocks.3.att.g1", [4, 2]],
    ["model.layers.3.attn.v_lora.lora.2.weight", [4, 2], "blocks.3.att.v2", [2, 4]],
    ["model.layers.3.attn.w_lora.lora.2.bias", [4], "blocks.3.att.w0"],
    ["model.layers.3.attn.g_lora.lora.2.bias", [4], undefined],
    ["model.layers.3.attn.w_lora.lora.1.weight", [4, 2], undefined],
    ["model.layers.3.attn.x_q", [4], undefined],
    ["model.layers.x.attn.x_k", [4], undefined],
    ["model.layers.3.constructor.weight", [4], undefined],
  ];
  for (const [name, shape, official, turned = shape] of cases) {
    it(`${name} is ${official ?? "unknown"}`, () => {
      const found = fromFla(tableTensor(name, shape));
      expect([found?.name, found?.shape]).toEqual([official, official && turned]);
    });
  }
});

describe("names of llama.cpp", () => {
  const names = (name: string, shape: number[], architecture: GgufArchitecture) =>
    fromGguf(tableTensor(name, shape), architecture, 0).map((tensor) => [tensor.name, tensor.shape]);

  it("are official ones with other words", () => {
    expect(names("token_embd_norm.bias", [4], "rwkv7")).toEqual([["blocks.0.ln0.bias", [4]]]);
    expect(names("blk.5.time_mix_receptance.weight", [4, 4], "rwkv6")).toEqual([
      ["blocks.5.att.receptance.weight", [4, 4]],
    ]);
    expect(names("blk.5.time_mix_w1.weight", [2, 4], "rwkv7")).toEqual([["blocks.5.att.w1", [4, 2]]]);
    expect(names("blk.5.time_mix_w2.weight", [5, 4, 2], "rwkv6")).toEqual([
      ["blocks.5.att.time_maa_w2", [5, 2, 4]],
    ]);
    expect(names("blk.5.time_mix_first.weight", [1, 4], "rwkv6")).toEqual([["blocks.5.att.time_faaaa", [
      1,
      4,
    ]]]);
    expect(names("blk.5.channel_mix_lerp_k.weight", [4], "rwkv6")).toEqual([["blocks.5.ffn.time_maa_k", [
      4,
    ]]]);
    expect(names("blk.5.time_mix_gate.weight", [4, 4], "rwkv7")).toEqual([]);
    expect(names("blk.5.attn_q.weight", [4, 4], "rwkv7")).toEqual([]);
  });

  it("hide six mixes of RWKV-7 in one tensor, and five of RWKV-6, in other orders", async () => {
    const mixes = async (architecture: GgufArchitecture, count: number) => {
      const tensor = tableTensor("blk.1.time_mix_lerp_fused.weight", [count, 1, 1, 2]);
      const parts = fromGguf(tensor, architecture, 0);
      return await Promise.all(parts.map(async (part) => [
        part.name.slice("blocks.1.att.".length),
        ...(await Array.fromAsync(part.readFloats()))[0]!,
      ]));
    };
    expect(await mixes("rwkv7", 6)).toEqual([
      ["x_r", 0, 1],
      ["x_w", 2, 3],
      ["x_k", 4, 5],
      ["x_v", 6, 7],
      ["x_a", 8, 9],
      ["x_g", 10, 11],
    ]);
    expect((await mixes("rwkv6", 5)).map(([name]) => name)).toEqual([
      "time_maa_w",
      "time_maa_k",
      "time_maa_v",
      "time_maa_r",
      "time_maa_g",
    ]);
  });

  it("double what was halved for fp16, by layer", async () => {
    const value = async (layer: number, stem: string) => {
      const [tensor] = fromGguf(tableTensor(`blk.${layer}.${stem}.weight`, [1, 2]), "rwkv6", 6);
      return (await Array.fromAsync(tensor!.readFloats()))[0]![1];
    };
    expect(await value(5, "time_mix_output")).toBe(1);
    expect(await value(6, "time_mix_output")).toBe(2);
    expect(await value(23, "channel_mix_value")).toBe(8);
    expect(await value(23, "channel_mix_key")).toBe(1);
  });
});

describe("names of files, versions and strangers", () => {
  it("a file's name tells the version", () => {
    const cases: [string, string | undefined][] = [
      ["VisualRWKV-v060-1B6-v1.0-20240612.pth", "v6.0"],
      ["VisualRWKV-v0612-1B6-v1.0-20241016.pth", "v6.12"],
      ["VisualRWKV-v0613-1B6-v1.0-20241016.pth", "v6.13"],
      ["VisualRWKV-v0700-0B4-v1.0-20250109.pth", "v7.00"],
      ["visualrwkv_v7.02.safetensors", "v7.02"],
      ["rwkv1b5-vitl336p14-577token_mix665k_rwkv.pth", undefined],
      ["VisualRWKV-v0999.pth", undefined],
    ];
    for (const [file, version] of cases) {
      expect([file, versionInFileName(file)?.name]).toEqual([file, version]);
    }
    expect(["hd", "UHD", "7.03", "v5", "plain"].map((text) => findVersion(text)?.name)).toEqual([
      "v6.12",
      "v6.13",
      "v7.03",
      "v5.0",
      "plain",
    ]);
    expect(findVersion("constructor")).toBeUndefined();
  });

  it("a bundle is called like its file, or like the folder when that says nothing", () => {
    const name = (path: string) => defaultName({ files: [{ path, bytes: 0, container: "torch" }] });
    expect(name("/a/VisualRWKV-v060-1B6-v1.0-20240612.pth")).toBe("VisualRWKV-v060-1B6-v1.0-20240612");
    expect(name("/a/rwkv3b_mix665k_rwkv.pth")).toBe("rwkv3b_mix665k");
    expect(name("/models/rwkv7-1.5B-world/model-00001-of-00003.safetensors")).toBe("rwkv7-1.5B-world");
    expect(name("/a/模型.pth")).toBe("imported");
    expect(name(`/a/${"x".repeat(200)}.gguf`)).toHaveLength(80);
  });

  it("a licence is guessed for released files only", () => {
    const licence = (name: string, metadata = {}) =>
      defaultLicence(tableCheckpoint({}, { path: `/a/${name}`, metadata }), { vision: undefined });
    const cases: [string, string][] = [
      ["RWKV-x060-World-1B6-v2.1-20240328-ctx4096.pth", "Apache-2.0"],
      ["RWKV-x070-World-0.1B-v2.8-20241210-ctx4096.pth", "Apache-2.0"],
      ["VisualRWKV-v060-7B-v1.0-20240612.pth", "Apache-2.0"],
      ["VisualRWKV-v0700-0B4-v1.0-20250109.pth", "Apache-2.0"],
      ["RWKV-x070-World-0.1B-v2.8-20241210-ctx4096-roleplay.pth", "unknown"],
      ["my-VisualRWKV-v0700-0B4-v1.0-20250109.pth", "unknown"],
      ["VisualRWKV-v0700-mine.pth", "unknown"],
      ["rwkv-secret.pth", "unknown"],
      ["model.safetensors", "unknown"],
    ];
    for (const [name, expected] of cases) expect([name, licence(name)]).toEqual([name, expected]);
    expect(licence(cases[0]![0], { "general.license": "mit" })).toBe("mit");
  });

  it("strangers are explained once, the rest is listed", () => {
    const texts = explainUnknown(["blocks.0.ffn.s0", "blocks.1.ffn.s0", "odd"]);
    expect(texts).toEqual([
      '"blocks.0.ffn.s0", "blocks.1.ffn.s0" belong to DeepEmbed (RWKV-7a and 7b), which is not supported',
      'unknown tensor "odd"',
    ]);
  });
});
