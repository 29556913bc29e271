// What the importer makes of every released checkpoint in true size, from names and shapes that were written down
// independently (tests/model/python), against the numbers of the specification.
import { expect } from "@std/expect";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { compressorOperations, visionOperations } from "../../src/model/import/estimates.ts";
import { inspect } from "../../src/model/import/inspect.ts";
import { planManifest, type PlanOptions } from "../../src/model/import/plan_manifest.ts";
import { planTower } from "../../src/model/import/plan_tower.ts";
import type { Scan } from "../../src/model/import/versions.ts";
import type { Manifest } from "../../src/model/manifest.ts";
import { Tokenizer } from "../../src/model/tokenizer.ts";
import { writeSeedVocabulary } from "../../src/seed/seed_vocabulary.ts";
import { outlineTower } from "../../src/vision/onnx/write_tower.ts";
import { missingPython, runPython } from "./python_cases.ts";
import { type Shapes, tableCheckpoint } from "./table_checkpoints.ts";

const missing = missingPython("json");
let released: Record<string, Shapes> = {};
const tokenizer = Tokenizer.parse(new TextEncoder().encode(writeSeedVocabulary()), "tokenizer.txt");

function plan(shapes: Shapes, options: Partial<PlanOptions> & { version?: string; scan?: Scan } = {}) {
  const findings = inspect(tableCheckpoint(shapes), undefined, options);
  const tower = planTower({ ...findings, vision: findings.vision! }, "x.pth", options.tokens_per_image);
  const outline = outlineTower(tower.plan, tower.tensors, "fp32");
  const manifest = planManifest(findings, { tower, outline }, tokenizer, {
    name: "x",
    licence: "x",
    ...options,
  });
  return { findings, tower, outline, manifest: manifest as unknown as Manifest };
}

interface Expected {
  version: string;
  parameters: number;
  vectors: number;
  inputs_px: number[];
  tera_operations: number;
  image: Partial<NonNullable<Manifest["image"]>>;
  vision?: Partial<NonNullable<Manifest["vision"]>>;
}

const many = { position: "many", scan: "row_major" } as const;
const sandwich = {
  position: "middle",
  foreword: "conversation",
  scan: "bidirection",
  images_max: 1,
} as const;
const clip: Pick<Expected, "inputs_px" | "tera_operations" | "vectors"> = {
  vectors: 577,
  inputs_px: [336],
  tera_operations: 0.38,
};
const three = { vectors: 1024, inputs_px: [448, 1024], tera_operations: 2.6 };
const siglip2 = { inputs_px: [256], tera_operations: 0.05 };
const [r6_1b6, r6_3b, r6_7b] = [1_599_873_024, 3_099_863_040, 7_635_746_816];
const [r7_0b1, r7_0b4, r7_1b5] = [191_034_624, 450_767_872, 1_527_404_544];

/** RWKV-5 has no number in the specification: 2 V D + 4 D + L (5 D² + 3 D F … ) by its own formula. */
function r5(width: number, layers: number): number {
  const hidden = 32 * Math.floor(3.5 * width / 32);
  const block = 4 * width + 2 * width + 6 * width + 2 * width + 5 * width ** 2 + 2 * hidden * width +
    width ** 2;
  return 2 * 65_536 * width + 4 * width + layers * block;
}

const table: Record<string, Expected> = {
  "v5 1b5": {
    ...clip,
    version: "v5.0",
    parameters: r5(2048, 24),
    image: { position: "first", foreword: "question", scan: "row_major" },
  },
  "v5 3b": { ...clip, version: "v5.0", parameters: r5(2560, 32), image: { position: "first" } },
  "v6.0 1b6": {
    ...clip,
    version: "v6.0",
    parameters: r6_1b6,
    image: { ...sandwich, scan_rows: 24, scan_columns: 24 },
    vision: { fit: "crop", filter: "bicubic" },
  },
  "v6.0 3b": { ...clip, version: "v6.0", parameters: r6_3b, image: sandwich },
  "v6.0 7b": { ...clip, version: "v6.0", parameters: r6_7b, image: sandwich },
  "hd 1b6": {
    ...three,
    version: "v6.12",
    parameters: r6_1b6,
    image: { ...sandwich, scan_rows: 32, scan_columns: 32 },
    vision: { fit: "stretch", filter: "bicubic", views: "whole" },
  },
  "uhd 1b6": {
    ...three,
    version: "v6.13",
    parameters: r6_1b6,
    tera_operations: 13,
    image: { ...sandwich, scan_rows: 32, scan_columns: 32 },
    vision: { views: "whole_and_quarters" },
  },
  "v7.00 0b1": { ...three, version: "v7.00", parameters: r7_0b1, image: { ...many, images_max: 8 } },
  "v7.00 0b4": { ...three, version: "v7.00", parameters: r7_0b4, image: many },
  "v7.00 1b5": { ...three, version: "v7.00", parameters: r7_1b5, image: many },
  "v7.01 0b1": {
    ...siglip2,
    version: "v7.01",
    parameters: r7_0b1,
    vectors: 256,
    image: { ...many, images_max: 1 },
    vision: { filter: "bilinear", tiling: null, compressor: null },
  },
  "v7.01 0b4": { ...siglip2, version: "v7.01", parameters: r7_0b4, vectors: 256, image: many },
  "v7.01 1b5": { ...siglip2, version: "v7.01", parameters: r7_1b5, vectors: 256, image: many },
  "v7.03 0b1": {
    ...siglip2,
    version: "v7.03",
    parameters: r7_0b1,
    vectors: 1024,
    image: many,
    vision: {
      filter: "lanczos",
      tiling: { criterion: "closest", tiles_max: 64, tiles_fixed: null },
      compressor: { file: "vtc.safetensors", layers: 2, padding: 16 },
    },
  },
  "v7.03 0b4": { ...siglip2, version: "v7.03", parameters: r7_0b4, vectors: 1024, image: many },
  "v7.03 1b5": { ...siglip2, version: "v7.03", parameters: r7_1b5, vectors: 1024, image: many },
};

describe("the importer, of released checkpoints in true size", () => {
  beforeAll(async () => {
    released = await runPython<Record<string, Shapes>>("list_tensors.py");
  });

  it.unless(missing, "is asked about every one of them", () => {
    expect(Object.keys(table).sort()).toEqual(Object.keys(released).sort());
  });

  for (const [name, expected] of Object.entries(table)) {
    it.unless(missing, `knows ${name}`, () => {
      const { findings, outline, manifest } = plan(released[name]!);
      expect(findings.vision!.choice.version.name).toBe(expected.version);
      expect(findings.language.parameters).toBe(expected.parameters);
      expect(manifest.vision!.vectors_per_frame).toBe(expected.vectors);
      expect(manifest.vision!.inputs.map(({ width_px }) => width_px)).toEqual(expected.inputs_px);
      expect(outline.vector_width).toBe(findings.language.sizes.width);
      expect(manifest.image).toMatchObject(expected.image);
      if (expected.vision) expect(manifest.vision).toMatchObject(expected.vision);
      expect(manifest).toMatchObject({ policy: "refresh", trained: true, stop: { text: "\n\n" } });
      expect(manifest.answer.sampler.temperature).toBe(0);
      const views = manifest.vision!.views === "whole" ? 1 : 5;
      const tera = visionOperations(findings.vision!.towers.encoders, views) / 1e12;
      expect(Math.abs(tera / expected.tera_operations - 1)).toBeLessThan(0.1);
    });
  }

  it.unless(missing, "pools where a version can, and refuses what it cannot", () => {
    const pooled = plan(released["v7.00 0b1"]!, { tokens_per_image: 64 });
    expect([pooled.outline.vectors, pooled.manifest.vision!.vectors_per_frame]).toEqual([64, 64]);
    const wrong = () => plan(released["v7.00 0b1"]!, { tokens_per_image: 63 });
    expect(wrong).toThrow("--tokens-per-image 63 is not possible; v7.00 makes a square up to 1024");
    const sixty_five = plan(released["v6.0 1b6"]!, { tokens_per_image: 65 });
    expect(sixty_five.tower.plan.pooling).toEqual({ kind: "grid", grid_size: 8 });
    expect(sixty_five.manifest.image).toMatchObject({ scan: "bidirection", scan_rows: 8, scan_columns: 8 });
    const one = plan(released["v6.0 1b6"]!, { tokens_per_image: 1 });
    expect([one.outline.vectors, one.manifest.image!.scan]).toEqual([1, "row_major"]);
    expect(() => plan(released["v6.0 1b6"]!, { tokens_per_image: 64 })).toThrow(
      "v6.0 makes 577, 145, 65, 37, 17, 10, 5, 2, 1",
    );
    expect(() => plan(released["hd 1b6"]!, { tokens_per_image: 64 })).toThrow("v6.12 cannot pool");
  });

  it.unless(missing, "plans the versions that tensors cannot tell", () => {
    const tiles = plan(released["v7.01 0b1"]!, { version: "v7.02", tiles: 6 }).manifest;
    expect(tiles.vision).toMatchObject({
      vectors_per_frame: 256,
      filter: "lanczos",
      width_px: 768,
      tiling: { criterion: "waste", tiles_max: 6, tiles_fixed: null },
    });
    const fixed = plan(released["v7.03 0b1"]!, { version: "v7.04", tiles: 3 }).manifest;
    expect(fixed.vision).toMatchObject({
      vectors_per_frame: 768,
      tiling: { criterion: "closest", tiles_max: 3, tiles_fixed: 3 },
    });
    const needed = plan(released["v7.01 0b1"]!, { version: "v7.02" }).manifest;
    expect(needed.vision).toMatchObject({ width_px: 512, tiling: { tiles_max: 64, tiles_fixed: null } });
    const four = plan(released["v7.03 0b1"]!, { version: "v7.04" }).manifest;
    expect(four.vision).toMatchObject({ vectors_per_frame: 1024, tiling: { tiles_fixed: 4 } });
    const contrastive = plan(released["v7.01 0b1"]!, { version: "v7.01c" }).manifest;
    expect(contrastive.image).toMatchObject({
      picture_end: 65_534,
      turn_end: 65_535,
      official_padding: { token: 261, multiple: 16 },
    });
    expect(plan(released["v6.0 1b6"]!).manifest.image!.official_padding).toBeNull();
    const several =
      plan(released["hd 1b6"]!, { version: "v6.20", position: "last", policy: "stream" }).manifest;
    expect(several.image).toMatchObject({ position: "last", scan: "row_major", images_max: 8 });
    expect(several.policy).toBe("stream");
  });

  it.unless(
    missing,
    "counts the tokens of a tile where the number of tiles is fixed, else of a picture",
    () => {
      const vectors = (version: string, tokens_per_image: number) =>
        plan(released["v7.03 0b1"]!, { version, tokens_per_image, tiles: 3 }).manifest.vision!
          .vectors_per_frame;
      expect([vectors("v7.03", 100), vectors("v7.04", 100)]).toEqual([100, 300]);
      expect(compressorOperations(10, 256)).toBe(5_120);
    },
  );

  it.unless(missing, "takes v5.1 as v5.0 with a scan, the class vector behind the grid", () => {
    const { findings, tower, manifest } = plan(released["v5 1b5"]!, { version: "v5.0", scan: "spiral" });
    expect(manifest.image).toMatchObject({ scan: "spiral", scan_rows: 24, scan_columns: 24 });
    expect(tower.plan.class_vector).toBe("last");
    expect(findings.vision!.choice.assumed).toContain("the class vector stands behind the patches");
    expect(plan(released["v5 1b5"]!).tower.plan.class_vector).toBe("first");
    const plain = plan(released["v6.0 1b6"]!, { scan: "row_major" });
    expect([plain.manifest.image!.scan, plain.tower.plan.class_vector]).toEqual(["row_major", "last"]);
    expect(() => plan(released["v7.01 0b1"]!, { version: "v7.02", scan: "snake" })).toThrow(
      "the tiles of v7.02 are read row by row",
    );
  });
});
