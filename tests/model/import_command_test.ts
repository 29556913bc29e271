// `gander model import` on miniatures of every released checkpoint: what it says, what it writes, what it refuses, and
// that nothing is left behind.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readBundle } from "../../src/model/bundle.ts";
import { openLanguage } from "../../src/model/language.ts";
import { readSafetensorsHeader } from "../../src/model/safetensors.ts";
import { writeSeedVocabulary } from "../../src/seed/seed_vocabulary.ts";
import { gander } from "./model_commands.ts";
import { missingPython, runPython, temporaryFolder } from "./python_cases.ts";

const missing = missingPython("torch", "numpy");
const world = fileURLToPath(new URL("../../../shared/data/rwkv_vocab_v20230424.txt", import.meta.url));
const no_world = existsSync(world) ? undefined : "the World vocabulary file is not on this machine";

let folder = "";
let files: Record<string, string[]> = {};

const at = (name: string) => join(folder, name);
const words = () => ["--tokenizer", at("words.txt")];

async function names(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
}

describe("gander model import", () => {
  beforeAll(async () => {
    folder = await temporaryFolder();
    await Deno.writeTextFile(at("words.txt"), writeSeedVocabulary());
    files = await runPython("released_minis.py", folder, "768");
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  const versions: [string, string[], Record<string, unknown>][] = [
    ["v5", ["--version", "v5.0", "--scan", "spiral"], {
      image: { scan: "spiral", scan_rows: 6, foreword: "question" },
    }],
    ["v5", [], { version: "v5.0", language: { generation: 5 }, vision: { vectors: 37 } }],
    ["v6.0", [], {
      version: "v6.0",
      image: { position: "middle", scan_rows: 6 },
      vision: { projector: "linear" },
    }],
    ["hd", [], { version: "v6.12", vision: { vectors: 16, projector: "gate_after" } }],
    ["uhd", [], { version: "v6.13", vision: { vectors: 16, projector: "relu" } }],
    ["v7.00", ["--tokens-per-image", "4"], { version: "v7.00", vision: { vectors: 4 }, policy: "refresh" }],
    ["v7.01", ["--vision", "int8"], { version: "v7.01", vision: { weights: "int8" } }],
    ["v7.01", ["--version", "v7.02"], { version: "v7.02", assumed: null, vision: { vectors: 16 * 64 } }],
    ["v7.03", [], { version: "v7.03", compressor_layers: 2 }],
    ["v7.03", ["--version", "v7.04", "--vision", "fp16"], { version: "v7.04", vision: { vectors: 64 } }],
  ];
  for (const [name, flags, expected] of versions) {
    it.unless(missing, `makes a whole bundle of ${name} ${flags.join(" ")}`, async () => {
      const dir = at(`bundle-${name}${flags.join("")}`);
      const { status, out, err } = await gander([
        "import",
        ...files[name]!,
        "-o",
        dir,
        ...words(),
        ...flags,
        "--json",
      ]);
      expect([status, err.replace(/^ *\d+ % .*\n/gm, "")]).toEqual([0, ""]);
      expect(JSON.parse(out)).toMatchObject({ dir, ...expected });

      const bundle = await readBundle(dir); // sizes, SHA-256 and headers
      const language = await openLanguage(bundle);
      expect(language.stop_text).toBe("\n\n");
      expect(language.pictures.images_max).toBeGreaterThan(0);
      const { tensors } = await readSafetensorsHeader(bundle.weights_path);
      expect(new Set([...tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(["BF16"]));
      const info = await gander(["info", dir]);
      expect(info.out).toContain('policy "refresh": rebuilt every');
      if (name === "v7.03") expect(info.out).toContain("compressor 2 layers");
    });
  }

  it.unless(missing, "makes a text-only bundle of a plain model", async () => {
    const { status, out } = await gander([
      "import",
      ...files.rwkv7!,
      "-o",
      at("text"),
      ...words(),
      "--name",
      "mine",
    ]);
    expect([status, out.includes("gander model logits --bundle")]).toEqual([0, true]);
    expect(out).toMatch(/^ {2}gander describe --bundle .*text --prompt "\.\.\."$/m);
    expect(out).not.toMatch(/^serve/m);
    const { manifest, vision_path } = await readBundle(at("text"));
    expect(manifest).toMatchObject({ name: "mine", image: null, policy: "stream", vision: null });
    expect(vision_path).toBeUndefined();
    expect(await names(at("text"))).toEqual(["manifest.json", "rwkv.safetensors", "tokenizer.txt"]);
  });

  it.unless(missing, "puts a tower before a plain model, and says that it was never trained", async () => {
    const { status, out } = await gander(
      ["import", ...files.rwkv7!, "--tower", ...files.tower!, "-o", at("plain"), ...words()],
    );
    expect([status, out]).toEqual([0, expect.stringMatching(/^untrained +the projector is random/m)]);
    const { manifest } = await readBundle(at("plain"));
    expect([manifest.trained, manifest.vision!.vectors_per_frame, manifest.vision!.fit]).toEqual([
      false,
      36,
      "crop",
    ]);
    expect(manifest.limits_note).toContain("random");
  });

  it.unless(
    missing,
    "finds the vocabulary beside the file or in a GGUF; without one, logits work and words do not",
    async () => {
      const lonely = at("lonely");
      await Deno.mkdir(lonely);
      const moved = join(lonely, "rwkv7.pth");
      await Deno.copyFile(files.rwkv7![0]!, moved);
      const { status, out: wordless } = await gander(["import", moved, "-o", at("wordless")]);
      expect([status, wordless]).toEqual([
        0,
        expect.stringMatching(
          /none found: only logits work\. Put rwkv_vocab_v20230424\.txt .* --tokenizer FILE/,
        ),
      ]);
      const logits = await gander(["logits", "--bundle", at("wordless"), "--tokens", "1,2", "--json"]);
      expect([logits.status, JSON.parse(logits.out).logits.length]).toEqual([0, 2]);
      expect((await gander(["info", at("wordless")])).out).toContain("none: only logits work");
      await expect(openLanguage(await readBundle(at("wordless")))).rejects.toThrow(
        /^Cannot speak with bundle ".*": it has no vocabulary; import it again with --tokenizer FILE$/,
      );
      expect((await gander(["import", moved, "-o", at("unwritten"), "--tokenizer", at("nothing.txt")])).err)
        .toContain(
          "Cannot read tokenizer",
        );
      await Deno.copyFile(at("words.txt"), join(lonely, "tokenizer.txt"));
      expect((await gander(["import", moved, "-o", at("beside")])).out).toContain(
        join(lonely, "tokenizer.txt"),
      );

      const { status: inside, out } = await gander(["import", ...files.rwkv6!, "-o", at("inside")]);
      expect([inside, out]).toEqual([0, expect.stringContaining("the tokens in")]);
      const bundle = await readBundle(at("inside"));
      expect(JSON.stringify(bundle.manifest)).not.toContain(folder);
      const { tokenizer } = await openLanguage(bundle);
      expect(tokenizer.decode(tokenizer.encode("It's a “test”.\n\n"))).toBe("It's a “test”.\n\n");
    },
  );

  it.unless(missing ?? no_world, "refuses a vocabulary that the model has no rows for", async () => {
    const { status, err } = await gander([
      "import",
      ...files.rwkv7!,
      "-o",
      at("words"),
      "--tokenizer",
      world,
    ]);
    expect([status, err]).toEqual([1, expect.stringContaining("ids up to 65529, the model has 768 rows")]);
  });

  it.unless(missing, "asks the config.json of a tower what no tensor says", async () => {
    await Deno.mkdir(at("clip"));
    await Deno.copyFile(files.tower![0]!, at("clip/model.safetensors"));
    const plan = async (config: unknown, dir: string) => {
      await Deno.writeTextFile(at("clip/config.json"), JSON.stringify(config));
      const args = [
        "import",
        ...files.rwkv7!,
        "--tower",
        at("clip/model.safetensors"),
        "-o",
        at(dir),
        ...words(),
      ];
      const { status, err } = await gander(args);
      expect([status, err.includes("Cannot")]).toEqual([0, false]);
      return (await readBundle(at(dir))).manifest.sources.find(({ path }) => path === "vision.onnx")!.sha256;
    };
    const hashes = await Promise.all([
      await plan({}, "clip-0"),
      await plan({ vision_config: { num_attention_heads: 4, hidden_act: "gelu" } }, "clip-1"),
      await plan({ num_attention_heads: 2, hidden_act: "quick_gelu" }, "clip-2"),
    ]);
    expect(hashes[1]).not.toBe(hashes[0]);
    expect(hashes[2]).toBe(hashes[0]); // what is assumed of a tower of that width
  });

  it.unless(missing, "refuses words that make no sense, with status 2", async () => {
    const cases: [string[], string][] = [
      [[], "which file?"],
      [["x"], "-o DIR is missing"],
      [["x", "-o", "y", "--dtype", "f64"], '--dtype is keep, f32, f16, bf16, not "f64"'],
      [["x", "-o", "y", "--tokens-per-image", "0"], '--tokens-per-image "0" is not a count'],
      [["x", "-o", "y", "--scan", "rotation"], "--scan is row_major, bidirection, multidirection, spiral"],
      [["x", "-o", "y", "--policy", "calm"], '--policy is refresh, stream, not "calm"'],
      [["x", "-o", "y", "--colour"], "--colour"],
    ];
    for (const [args, text] of cases) {
      const { status, err } = await gander(["import", ...args]);
      expect([args, status, err]).toEqual([args, 2, expect.stringContaining(text)]);
    }
  });

  it.unless(missing, "replaces a bundle only when told, and never anything else", async () => {
    const dir = at("again");
    const once = ["import", ...files.rwkv7!, "-o", dir, ...words()];
    await Deno.mkdir(dir); // an empty folder is no obstacle
    expect((await gander(once)).status).toBe(0);
    const second = await gander(once);
    expect([second.status, second.err]).toEqual([1, expect.stringContaining("--force replaces it")]);
    expect((await gander([...once, "--force", "--dtype", "f32"])).status).toBe(0);
    const { tensors } = await readSafetensorsHeader((await readBundle(dir)).weights_path);
    expect(tensors.get("emb.weight")!.dtype).toBe("F32");

    for (
      const args of [[join(dir, "rwkv.safetensors"), ...words()], [
        ...files.rwkv7!,
        "--tokenizer",
        join(dir, "tokenizer.txt"),
      ]]
    ) {
      const { status, err } = await gander(["import", ...args, "-o", dir, "--force"]);
      expect([status, err]).toEqual([1, expect.stringContaining("lies in it, and is read")]);
      await readBundle(dir);
    }

    await Deno.mkdir(at("mine"));
    await Deno.writeTextFile(at("mine/diary.txt"), "dear");
    const third = await gander(["import", ...files.rwkv7!, "-o", at("mine"), ...words(), "--force"]);
    expect([third.status, third.err]).toEqual([1, expect.stringContaining("with files that are no bundle")]);
    expect(await names(at("mine"))).toEqual(["diary.txt"]);
  });

  it.unless(missing, "leaves nothing when it is stopped or fails, and the old bundle stays", async () => {
    await Deno.mkdir(at("quiet"));
    const dir = at("quiet/bundle");
    const args = ["import", ...files["v7.00"]!, "-o", dir, ...words()];
    const stop = new AbortController();
    const stopped = await gander(args, stop.signal, (text) => text.includes("%") && stop.abort());
    expect([stopped.status, stopped.err]).toEqual([
      130,
      expect.stringContaining("stopped; nothing was written"),
    ]);
    expect(await names(at("quiet"))).toEqual([]);

    expect((await gander(["import", ...files.rwkv7!, "-o", dir, ...words()])).status).toBe(0);
    const cut = at("cut.pth");
    const bytes = await Deno.readFile(files.rwkv7![0]!);
    await Deno.writeFile(cut, bytes.subarray(0, bytes.length / 2));
    const failed = await gander(["import", cut, "-o", dir, ...words(), "--force"]);
    expect([failed.status, failed.err]).toEqual([1, expect.stringMatching(/^Cannot import ".*cut\.pth": /)]);
    await readBundle(dir);
    expect(await names(at("quiet"))).toEqual(["bundle"]);
  });
});
