import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { join } from "node:path";
import { readBundle } from "../../src/model/bundle.ts";
import { openLanguage } from "../../src/model/language.ts";
import { readRwkvShape } from "../../src/model/rwkv_header.ts";
import { readSafetensorsHeader } from "../../src/model/safetensors.ts";
import { demo_sizes, streamParameters } from "../../src/train/stream/beginning.ts";
import { writeStreamBundle } from "../../src/train/stream/bundle.ts";
import { worldVocabulary } from "../../src/train/stream/vocabulary.ts";

const parameters = streamParameters({ ...demo_sizes, seed: 1 });
const bundle = {
  name: "pond test",
  description: "",
  licence: "Apache-2.0",
  origin: "a test",
  limits_note: "",
  parameters,
  vision: { bytes: new Uint8Array(100), width_px: 96, height_px: 96 },
  speak_threshold: 0.5,
};

describe("a stream bundle", () => {
  it("opens again, with the words and weights it was written with", async () => {
    const parent = await Deno.makeTempDir();
    try {
      const dir = join(parent, "bundle");
      await writeStreamBundle(dir, bundle, false);
      const opened = await readBundle(dir);
      expect(opened.manifest).toMatchObject({
        trained: true,
        policy: "stream",
        silence_token: worldVocabulary().silence,
      });
      const language = await openLanguage(opened);
      const prompt = "User: where is the dog?\n\nAssistant:";
      expect(language.question("where is the dog?")).toEqual(worldVocabulary().encode(prompt));
      expect(language.stop_tokens).toContain(worldVocabulary().turn_end);
      const header = await readSafetensorsHeader(join(dir, "rwkv.safetensors"));
      expect(readRwkvShape(header)).toEqual({ version: 7, ...demo_sizes, vocab: worldVocabulary().size });
      expect([...header.tensors.keys()].filter((name) => name.startsWith("proj."))).toEqual([]);
      expect(header.tensors.get("emb.weight")!.dtype).toBe("F16");
      expect(header.tensors.get("blocks.0.att.w0")!.dtype).toBe("F32");
      expect((await Deno.stat(join(dir, "rwkv.safetensors"))).size).toBeLessThan(5_000_000);
    } finally {
      await Deno.remove(parent, { recursive: true });
    }
  });

  it("is refused for a model with other words, and leaves nothing behind", async () => {
    const parent = await Deno.makeTempDir();
    try {
      const other = new Map(parameters).set("emb.weight", {
        dims: [64, 192],
        data: new Float32Array(64 * 192),
      });
      await expect(writeStreamBundle(join(parent, "bundle"), { ...bundle, parameters: other }, false)).rejects
        .toMatchObject({ code: "train_invalid" });
      expect(await Array.fromAsync(Deno.readDir(parent))).toEqual([]);
    } finally {
      await Deno.remove(parent, { recursive: true });
    }
  });
});
