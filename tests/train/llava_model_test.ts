// What the stages can begin with: complete checkpoints of the released kinds, in miniature, with their own towers; and
// what they refuse.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openTrainer } from "../../ffi/trainer.ts";
import { openTrainLibrary } from "../../ffi/train_library.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { openCheckpoint } from "../../src/model/import/open_checkpoint.ts";
import { initialRwkv } from "../../src/train/init.ts";
import { readTensor } from "../../src/train/llava/memory_checkpoint.ts";
import { trainFinetune } from "../../src/train/llava/train_visual.ts";
import { isBundle, startFromBundle } from "../../src/train/llava/bundle_start.ts";
import { openVisualModel } from "../../src/train/llava/visual_model.ts";
import { writeTorch } from "../../src/train/torch_writer.ts";
import { decodePicture } from "../../streams/mod.ts";
import {
  hfShapes,
  projectorShapes,
  randomCheckpoint,
  samShapes,
  timmShapes,
} from "../model/tower_checkpoints.ts";
import { writePictureBundle, writeTextBundle } from "../model/bundles.ts";
import { toy_data, toy_images, type ToyFiles, writeToy } from "./toy_visual.ts";

const library_path = fileURLToPath(new URL("../../native/train/build/librwkv_train.so", import.meta.url));
const missing = existsSync(library_path) ? undefined : "the trainer library is not built: it needs libtorch";
if (!missing) openTrainLibrary(library_path); // it is never closed, and no test's leak

const sizes = { width: 24, layers: 2, hidden: 40, patch_px: 8, grid: 4 };
const clip = hfShapes("clip", "vit.vision_model.", sizes);
const three = {
  ...timmShapes("dino_timm", "vit.dino_featurizer.", { ...sizes, patch_px: 4 }),
  ...timmShapes("siglip_timm", "vit.siglip_featurizer.", { ...sizes, width: 32, patch_px: 4 }),
  ...samShapes("vit.sam_featurizer.", { ...sizes, width: 16, grid: 8, patch_px: 4 }, {
    ...{ window: 3, everywhere: [1], neck: 8, heads: 1 },
  }),
};
const fused = 24 + 32 + 4 * 8;

interface Kind {
  version: 6 | 7;
  tower: Record<string, readonly number[]>;
  projector: [kind: string, inputs: number];
  words: Record<string, string>;
  manifest: unknown;
}

const kinds: Record<string, Kind> = {
  "v6.0": {
    ...{ version: 6, tower: clip, projector: ["linear", 24], words: { image_position: "middle" } },
    manifest: {
      vision: { vectors_per_frame: 17 },
      image: { position: "middle", scan: "row_major", images_max: 1 },
    },
  },
  "v6.13": {
    ...{ version: 6, tower: three, projector: ["relu", 2 * fused], words: { image_position: "first" } },
    manifest: {
      vision: { vectors_per_frame: 16, views: "whole_and_quarters" },
      image: { position: "first" },
    },
  },
  "v7.00": {
    ...{ version: 7, tower: three, projector: ["gate_before", fused], words: { num_token_per_image: "4" } },
    manifest: { vision: { vectors_per_frame: 4 }, image: { position: "many", images_max: 8 } },
  },
};

async function withToy(body: (files: ToyFiles, dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "gander-kinds-" });
  try {
    await body(await writeToy(dir), dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function writeKind(path: string, { version, tower, projector }: Kind, vocab: number): Promise<void> {
  const language = initialRwkv({ version, layers: 2, width: 64, vocab, seed: 1 });
  const seen = randomCheckpoint({ ...tower, ...projectorShapes(projector[0], projector[1], 64) }, 2);
  await writeTorch(
    path,
    new Map([
      ...[...language].map(([name, tensor]) => [`rwkv.${name}`, tensor] as const),
      ...[...seen].map(([name, { shape, data }]) => [name, { dims: shape, data }] as const),
    ]),
    { type: "f32" },
  );
}

async function weightsOf(path: string): Promise<Map<string, Float32Array>> {
  await using checkpoint = await openCheckpoint([path]);
  const found = new Map<string, Float32Array>();
  for (const [name, tensor] of checkpoint.tensors) found.set(name, (await readTensor(tensor)).data);
  return found;
}

describe("finetune of a complete checkpoint", () => {
  for (const [name, kind] of Object.entries(kinds)) {
    it.unless(
      missing,
      `of ${name} keeps its tower and moves its projector`,
      () =>
        withToy(async ({ tokenizer, vocabulary }, dir) => {
          const model_path = join(dir, `VisualRWKV-${name}.pth`), proj_dir = join(dir, "out");
          await writeKind(model_path, kind, tokenizer.id_max + 1);
          const lines: string[] = [];
          await trainFinetune({
            ...{ model_path, proj_dir, tokenizer: vocabulary, data_file: toy_data, image_folder: toy_images },
            ...{
              ctx_len: "120",
              micro_bsz: "2",
              epoch_steps: "2",
              lr_init: "1e-3",
              accelerator: "cpu",
              threads: "1",
            },
            ...{ version: name, licence: "Apache-2.0", vision_threads: "1", ...kind.words },
          }, {
            openTrainer: (options) => openTrainer({ library_path, ...options }),
            ...{
              decodePicture,
              signal: new AbortController().signal,
              say: { line: (line) => lines.push(line) },
            },
          });
          const before = await weightsOf(model_path), after = await weightsOf(join(proj_dir, "rwkv-0.pth"));
          const unused = name === "v6.13" ? ["proj.gate.weight"] : []; // stored by UHD, and never used
          expect([...after.keys()].sort()).toEqual(
            [...before.keys()].filter((key) => !unused.includes(key)).sort(),
          );
          for (const [key, data] of after) {
            const kept = key.startsWith("vit.") || key === "rwkv.emb.weight";
            if (kept) expect([key, data]).toEqual([key, before.get(key)]);
            if (key.startsWith("proj.") && !key.includes("ln_v")) expect(data).not.toEqual(before.get(key));
          }
          const { manifest } = await readBundle(join(proj_dir, "bundle"));
          expect(manifest).toMatchObject(kind.manifest as Record<string, unknown>);
          if (name === "v6.0") {
            // The toy rows with two pictures do not fit v6.0.
            expect(lines[1]).toContain("here they learn to read row by row");
            expect(lines[2]).toMatch(/line 13: it has 2 pictures; 1 are allowed$/);
          }
        }),
    );
  }
});

describe("startFromBundle()", () => {
  const none = { paths: [], tower_paths: [], version: undefined, seed: 1, proj_type: undefined };

  it("refuses bundles that were not taught with pictures, or with a projector of another kind", () =>
    withToy(async (_, dir) => {
      const start = (more = {}) => startFromBundle(dir, { ...none, tokens_per_image: undefined, ...more });
      await writeTextBundle(dir);
      expect(await isBundle(dir)).toBe(true);
      await expect(start()).rejects.toThrow(
        "it was not made for questions about pictures; --vision_tower_dir",
      );
      await writePictureBundle(dir);
      await expect(start({ proj_type: "relu" })).rejects.toThrow(
        "its projector is linear, --proj_type says relu",
      );
      expect(await isBundle(join(dir, "tower"))).toBe(false);
    }));
});

describe("openVisualModel()", () => {
  const common = { version: undefined, seed: 1, proj_type: undefined };

  it("makes a linear projector where nobody says another", () =>
    withToy(async ({ language, tower }) => {
      await using model = await openVisualModel({ ...common, paths: [language], tower_paths: [tower] });
      expect([model.fresh_projector, model.findings.vision!.projector!.kind]).toEqual([true, "linear"]);
      expect((await model.parameters()).get("proj.weight")!.dims).toEqual([64, 32]);
    }));

  it("refuses what does not go together, in words", () =>
    withToy(async ({ language, tower, tokenizer }, dir) => {
      const complete = join(dir, "v7.pth");
      await writeKind(complete, kinds["v7.00"]!, tokenizer.id_max + 1);
      const refusals: [Partial<Parameters<typeof openVisualModel>[0]>, string][] = [
        [{ paths: [language] }, "there is no vision tower; --vision_tower_dir"],
        [{ paths: [complete], proj_type: "linear" }, "its projector is gate_before, --proj_type says linear"],
        [{ paths: [language], tower_paths: [tower], n_embd: 128 }, "--n_embd is 128, the file has 64"],
        [{ paths: [complete], tower_paths: [tower] }, "it has a vision tower; --tower gives another one"],
        [{ paths: [language], tower_paths: [complete] }, "the tower's file has a projector"],
        [
          { paths: [language], tower_paths: [tower], version: "v7.01c" },
          "contrastive alignment are not trained",
        ],
        [{ paths: [join(dir, "none.pth")] }, "not found"],
      ];
      for (const [more, sentence] of refusals) {
        const opened = openVisualModel({ ...common, paths: [], tower_paths: [], ...more });
        await expect(opened).rejects.toThrow(sentence);
      }
    }));
});
