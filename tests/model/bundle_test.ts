import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import type { Language } from "../../src/pipeline/ports.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { type ModelCode, ModelError } from "../../src/model/errors.ts";
import { openLanguage } from "../../src/model/language.ts";
import { headerTensors, vocab, writeTextBundle } from "./bundles.ts";
import { encodeSafetensors } from "../../src/model/safetensors.ts";
import { withFolder } from "./towers.ts";

async function failure(promise: Promise<unknown>, code: ModelCode): Promise<string> {
  const error = await promise.then(() => undefined, (reason) => reason);
  expect(error).toBeInstanceOf(ModelError);
  expect(error.code).toBe(code);
  return error.message;
}

const edit = (path: string, change: (bytes: Uint8Array) => Uint8Array) =>
  Deno.readFile(path).then((bytes) => Deno.writeFile(path, change(bytes)));

describe("readBundle()", () => {
  it("gives absolute paths of a text-only bundle", () =>
    withFolder(async (dir) => {
      await writeTextBundle(dir);
      const bundle = await readBundle(dir);
      const real = await Deno.realPath(dir);
      expect(bundle.dir).toBe(real);
      expect(bundle.weights_path).toBe(join(real, "rwkv.safetensors"));
      expect(bundle.tokenizer_path).toBe(join(real, "tokenizer.txt"));
      expect(bundle.vision_path).toBeUndefined();
      expect(bundle.manifest.caption.speak_threshold).toBe(0.5);
    }));

  it("follows a link to the folder and links inside it", () =>
    withFolder(async (dir) => {
      const folder = join(dir, "bundle");
      await Deno.mkdir(folder);
      await writeTextBundle(folder);
      await Deno.rename(join(folder, "tokenizer.txt"), join(folder, "words.txt"));
      await Deno.symlink("words.txt", join(folder, "tokenizer.txt"));
      await Deno.symlink(folder, join(dir, "link"));
      const bundle = await readBundle(join(dir, "link"));
      expect(bundle.tokenizer_path).toBe(join(await Deno.realPath(folder), "words.txt"));
    }));

  it("refuses a link that leads out", () =>
    withFolder(async (dir) => {
      const folder = join(dir, "bundle");
      await Deno.mkdir(folder);
      await writeTextBundle(folder);
      await Deno.rename(join(folder, "tokenizer.txt"), join(dir, "tokenizer.txt"));
      await Deno.symlink("../tokenizer.txt", join(folder, "tokenizer.txt"));
      expect(await failure(readBundle(folder), "bundle_invalid")).toContain(
        "tokenizer.txt: leads out of the bundle",
      );
      // A neighbour whose name begins like the folder's is outside as well.
      await Deno.mkdir(join(dir, "bundle-2"));
      await Deno.rename(join(dir, "tokenizer.txt"), join(dir, "bundle-2", "tokenizer.txt"));
      await Deno.remove(join(folder, "tokenizer.txt"));
      await Deno.symlink("../bundle-2/tokenizer.txt", join(folder, "tokenizer.txt"));
      expect(await failure(readBundle(folder), "bundle_invalid")).toContain("leads out");
    }));

  it("says what is missing", () =>
    withFolder(async (dir) => {
      const nowhere = join(dir, "nowhere");
      expect(await failure(readBundle(nowhere), "bundle_missing")).toBe(
        `Cannot use bundle "${nowhere}": not found`,
      );
      expect(await failure(readBundle(dir), "bundle_missing")).toContain("manifest.json: not found");
      await writeTextBundle(dir);
      expect(await failure(readBundle(join(dir, "manifest.json")), "bundle_missing")).toContain(
        "not a folder",
      );
      await Deno.remove(join(dir, "tokenizer.txt"));
      await Deno.remove(join(dir, "rwkv.safetensors"));
      const message = await failure(readBundle(dir), "bundle_missing");
      expect(message).toContain("tokenizer.txt: not found");
      expect(message).toContain("rwkv.safetensors: not found");
    }));

  it("refuses a manifest that is not JSON, and reports all of its problems", () =>
    withFolder(async (dir) => {
      await Deno.writeTextFile(join(dir, "manifest.json"), "{");
      expect(await failure(readBundle(dir), "bundle_invalid")).toContain("manifest.json: ");
      await writeTextBundle(dir, (manifest) => {
        manifest.licence = "";
        manifest.rwkv.layers = 0;
      });
      const message = await failure(readBundle(dir), "bundle_invalid");
      expect(message).toMatch(/\n {2}licence: /);
      expect(message).toMatch(/\n {2}rwkv\.layers: /);
    }));

  it("refuses a path out of the folder before it looks there", () =>
    withFolder(async (dir) => {
      await writeTextBundle(dir, (manifest) => manifest.tokenizer!.file = "../../etc/passwd");
      expect(await failure(readBundle(dir), "bundle_invalid")).toContain(
        "tokenizer.file: must be a relative path",
      );
    }));

  it("sees one changed byte and one lost byte", () =>
    withFolder(async (dir) => {
      await writeTextBundle(dir);
      const weights = join(dir, "rwkv.safetensors");
      await edit(weights, (bytes) => bytes.with(bytes.length - 5, 1));
      expect(await failure(readBundle(dir), "bundle_damaged")).toMatch(
        /rwkv\.safetensors: SHA-256 [0-9a-f]{64}, the/,
      );
      await readBundle(dir, { verify: "sizes" });
      await edit(weights, (bytes) => bytes.subarray(1));
      expect(await failure(readBundle(dir, { verify: "sizes" }), "bundle_damaged")).toMatch(
        /\d+ bytes, the manifest says/,
      );
    }));

  it("compares the weights with the manifest", () =>
    withFolder(async (dir) => {
      await writeTextBundle(dir, (manifest) =>
        Object.assign(manifest.rwkv, { layers: 4, width: 128, version: 6 }));
      const message = await failure(readBundle(dir), "bundle_invalid");
      expect(message).toContain("rwkv.version: the manifest says 6, rwkv.safetensors has 7");
      expect(message).toContain("rwkv.layers: the manifest says 4, rwkv.safetensors has 2");
      expect(message).toContain("rwkv.width: the manifest says 128, rwkv.safetensors has 64");
    }));

  const headers: [string, () => Uint8Array, ModelCode, string][] = [
    ["an empty file", () => new Uint8Array(0), "bundle_damaged", "ends inside the header"],
    ["garbage", () => new Uint8Array(100).fill(200), "bundle_damaged", "its header claims"],
    [
      "a header that is no JSON",
      () => Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7b),
      "bundle_damaged",
      "JSON",
    ],
    [
      "a cut file",
      () => encodeSafetensors(headerTensors()).subarray(0, 5000),
      "bundle_damaged",
      "does not fit",
    ],
    ["other tensors", () => encodeSafetensors(new Map()), "bundle_invalid", "has no emb.weight"],
  ];
  for (const [name, make, code, message] of headers) {
    it(`refuses weights that are ${name}`, () =>
      withFolder(async (dir) => {
        await writeTextBundle(dir, () => {}, make());
        expect(await failure(readBundle(dir), code)).toContain(message);
      }));
  }
});

describe("openLanguage()", () => {
  it("satisfies the pipeline's port", () =>
    withFolder(async (dir) => {
      await writeTextBundle(dir, (manifest) => {
        manifest.prompt = { preamble: "System: watch\n\n", question: "User: {question}\n\nAssistant:" };
        manifest.tick = { rate_hz: 2, mark: "{seconds}s" };
        manifest.stop = { tokens: [257, 0, 257], text: "\n\n" };
        manifest.silence_token = vocab - 1;
      });
      const language: Language = await openLanguage(await readBundle(dir));
      const text = (tokens: readonly number[]) => {
        const decoder = language.decoder();
        return tokens.map((token) => decoder.push(token)).join("") + decoder.end();
      };
      expect(text(language.preamble)).toBe("System: watch\n\n");
      expect(text(language.tickMark(61_700))).toBe("61s");
      expect(text(language.question(" a\n\nb\u0016 "))).toBe("User: a\nb\n\nAssistant:");
      expect(language.stop_tokens).toEqual([0, 257]);
      expect(language.stop_text).toBe("\n\n");
      expect(language.silence_token).toBe(vocab - 1);
      expect(language.decoder().push(language.silence_token)).toBe("");
    }));

  it("feeds no mark when the model was taught none", () =>
    withFolder(async (dir) => {
      await writeTextBundle(dir, (manifest) => manifest.stop = { tokens: [], text: null });
      const language = await openLanguage(await readBundle(dir));
      expect(language.tickMark(5_000)).toEqual([]);
      expect(language.preamble).toEqual([]);
      expect(language.stop_text).toBeUndefined();
    }));

  it("refuses a tokenizer with ids the model has no row for", () =>
    withFolder(async (dir) => {
      await writeTextBundle(dir);
      const bundle = await readBundle(dir);
      const manifest = { ...bundle.manifest, rwkv: { ...bundle.manifest.rwkv, vocab: 300 } };
      expect(await failure(openLanguage({ ...bundle, manifest }), "tokenizer_invalid")).toContain(
        "is not below rwkv.vocab 300",
      );
    }));

  it("names the bad line of a broken tokenizer", () =>
    withFolder(async (dir) => {
      await writeTextBundle(dir);
      const bundle = await readBundle(dir);
      await Deno.writeTextFile(join(dir, "tokenizer.txt"), "1 'a' 1\n1 'b' 1\n");
      expect(await failure(openLanguage(bundle), "tokenizer_invalid")).toContain(
        "line 2: id 1 was given before",
      );
    }));
});
