import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { isInsidePath, type ManifestInput, readManifest } from "./manifest.ts";

const hash = "0".repeat(64);
const minimal = (): ManifestInput => ({
  format: "gander-bundle",
  format_version: 1,
  name: "my-model",
  licence: "Apache-2.0",
  trained: true,
  sources: [
    { path: "rwkv.safetensors", bytes: 1, sha256: hash, origin: "here" },
    { path: "tokenizer.txt", bytes: 1, sha256: hash, origin: "here" },
  ],
  rwkv: { file: "rwkv.safetensors", version: 7, layers: 2, width: 128, vocab: 512 },
  tokenizer: { file: "tokenizer.txt" },
});

function problems(change: (manifest: Record<string, unknown>) => void): string[] {
  const manifest = structuredClone(minimal()) as unknown as Record<string, unknown>;
  change(manifest);
  const result = readManifest(manifest);
  return "problems" in result ? result.problems : [];
}

describe("readManifest()", () => {
  it("accepts the minimal manifest and fills in the rest", () => {
    const result = readManifest(minimal());
    if ("problems" in result) throw new Error(result.problems.join());
    expect(result.manifest.vision).toBeNull();
    expect(result.manifest.stop.text).toBe("\n\n");
    expect(result.manifest.policy).toBe("stream");
    expect(result.manifest.rwkv.head_size).toBe(64);
    expect(result.manifest.prompt.question).toBe("User: {question}\n\nAssistant:");
  });

  it("names every problem with its path, all together", () => {
    const found = problems((manifest) => {
      manifest.format_version = 2;
      manifest.colour = "red";
      manifest.sources = [{ path: "../x", bytes: -1, sha256: "abc", origin: "o", extra: 1 }];
      manifest.rwkv = { file: "model.gguf", version: 4, layers: 0, width: 100, vocab: 512 };
      delete manifest.licence;
    });
    for (
      const path of [
        "format_version:",
        "colour: unknown key",
        "sources[0].path: must be a relative path inside the bundle",
        "sources[0].bytes:",
        "sources[0].sha256: must be 64 lowercase hex digits",
        "sources[0].extra: unknown key",
        "rwkv.file: must be a .safetensors file",
        "rwkv.version:",
        "rwkv.layers:",
        "rwkv.width: must be a multiple of 64",
        "licence:",
      ]
    ) expect(found.some((line) => line.startsWith(path))).toBe(true);
  });

  it("refuses what is not an object", () => {
    expect(readManifest("hello")).toEqual({ problems: [expect.stringMatching(/^manifest: /)] });
    expect("problems" in readManifest(null)).toBe(true);
  });

  it("takes towers of a frame, its quarters or the frame before", () => {
    const seeing = (views?: string) =>
      problems((manifest) => {
        (manifest.sources as unknown[]).push({ path: "vision.onnx", bytes: 1, sha256: hash, origin: "here" });
        manifest.vision = { file: "vision.onnx", width_px: 96, height_px: 96, vectors_per_frame: 4, views };
      });
    for (const views of ["whole", "whole_and_quarters", "before_and_now"]) expect(seeing(views)).toEqual([]);
    expect(seeing("before")[0]).toMatch(/^vision\.views: /);
  });

  it("finds contradictions", () => {
    expect(problems((manifest) => {
      manifest.silence_token = 512;
      manifest.stop = { tokens: [3, 600], text: null };
      manifest.tokenizer = { file: "other.txt" };
      const [first] = manifest.sources as unknown[];
      manifest.sources = [first, first];
    })).toEqual([
      'sources[1].path: "rwkv.safetensors" is listed twice',
      'tokenizer.file: "other.txt" is not among the sources',
      "silence_token: 512 is not below rwkv.vocab 512",
      "stop.tokens[1]: 600 is not below rwkv.vocab 512",
    ]);
  });

  it("wants to know how a picture is asked about, where captions are answers about pictures", () => {
    expect(problems((manifest) => manifest.policy = "refresh")[0]).toMatch(/^image: .*policy is "refresh"/);
    const answered = problems((manifest) => {
      manifest.policy = "refresh";
      manifest.image = { position: "first", images_max: 1 };
    });
    expect(answered.filter((line) => line.includes("policy"))).toEqual([]);
  });

  it("wants a question in the question and a time in the mark", () => {
    expect(problems((manifest) => manifest.prompt = { preamble: "", question: "{question}{question}" })[0])
      .toBe("prompt.question: must contain {question} exactly once");
    expect(problems((manifest) => manifest.tick = { rate_hz: 2, mark: "now" })[0]).toMatch(
      /^tick\.mark: must be/,
    );
    expect(problems((manifest) => manifest.tick = { rate_hz: 2, mark: "{seconds} {minutes}" }).length).toBe(
      1,
    );
    expect(problems((manifest) => manifest.tick = { rate_hz: 2, mark: "{clock} " })).toEqual([]);
  });
});

describe("isInsidePath()", () => {
  it("takes names and folders, and nothing that leads out", () => {
    for (const path of ["a", "a/b.txt", "...", "a..b"]) expect(isInsidePath(path)).toBe(true);
    for (
      const path of ["", "/a", "a/", "a//b", "..", "../a", "a/../b", "./a", "a\\b", "C:a", "a\0b", "a\nb"]
    ) {
      expect(isInsidePath(path)).toBe(false);
    }
  });
});
