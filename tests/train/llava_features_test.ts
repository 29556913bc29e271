// Features for training are what the tower that serves sees before its projector: projected by hand, they are its vectors.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { FeatureCache, PictureFault } from "../../src/train/llava/features.ts";
import { openFeatureTower } from "../../src/train/llava/feature_tower.ts";
import { openVisualModel } from "../../src/train/llava/visual_model.ts";
import { planTower } from "../../src/model/import/plan_tower.ts";
import { openVision } from "../../src/vision/vision.ts";
import { writeTower } from "../../src/vision/onnx/write_tower.ts";
import { decodePicture } from "../../streams/mod.ts";
import { makePixels, makePng } from "../sources/picture_files.ts";
import { toy_features, toy_images, toy_width, writeToy } from "./toy_visual.ts";

const picture = join(toy_images, "red_square.jpg");

describe("openFeatureTower()", () => {
  it("gives the rows of every tile of v7.02, as many as the picture's shape makes", async () => {
    const dir = await Deno.makeTempDir({ prefix: "gander-tiles-" });
    try {
      const { language, tower } = await writeToy(dir);
      const start = { paths: [language], tower_paths: [tower], version: "v7.02", seed: 1 };
      await using model = await openVisualModel({ ...start, proj_type: "mlp" });
      const { findings, file } = model;
      const open = { findings, file, config: {}, tokens_per_image: undefined, tiles: undefined, threads: 1 };
      await using source = await openFeatureTower({ ...open, dir, decodePicture, log() {} });
      expect([source.width, source.rows]).toEqual([toy_features, undefined]);
      for (const [width_px, tiles] of [[32, 1], [64, 2]] as const) {
        const features = await source.features(makePng(width_px, 32, makePixels(width_px, 32)), "picture");
        expect(features.length).toBe(tiles * 16 * toy_features);
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });

  for (const vectors of [16, 4]) {
    it(`gives ${vectors} rows that the projector turns into the vectors of the served tower`, async () => {
      const dir = await Deno.makeTempDir({ prefix: "gander-tower-" });
      try {
        const { language, tower } = await writeToy(dir);
        const start = { paths: [language], tower_paths: [tower], version: undefined, seed: 1 };
        await using model = await openVisualModel({ ...start, proj_type: "linear" });
        expect(model.fresh_projector).toBe(true);
        const open = {
          file: model.file,
          config: {},
          tokens_per_image: vectors,
          tiles: undefined,
          threads: 1,
        };
        const log = () => {};
        await using source = await openFeatureTower({
          ...{ findings: model.findings, ...open, dir: join(dir, "tower-only"), decodePicture, log },
        });
        expect([source.width, source.rows]).toEqual([toy_features, vectors]);
        const cache = await FeatureCache.open(source, { dir: undefined });
        const features = await cache.read(picture);

        const vision = model.findings.vision!;
        const planned = planTower({ ...model.findings, vision }, model.file, vectors);
        const model_path = join(dir, "served.onnx");
        await writeTower(planned.plan, planned.tensors, model_path, { weights: "fp32" });
        const served = await openVision({
          ...{
            model_path,
            width_px: 32,
            height_px: 32,
            filter: "bilinear",
            vector_width: toy_width,
            threads: 1,
            log,
          },
        });
        try {
          const wanted = await served.encodePicture(
            await decodePicture(await Deno.readFile(picture), { name: "picture" }),
          );
          const weight = (await model.parameters()).get("proj.weight")!.data;
          let far = 0;
          for (let at = 0; at < wanted.length; at++) {
            const row = Math.floor(at / toy_width) * toy_features, column = at % toy_width * toy_features;
            let sum = 0;
            for (let i = 0; i < toy_features; i++) sum += features[row + i]! * weight[column + i]!;
            far = Math.max(far, Math.abs(sum - wanted[at]!));
          }
          expect(wanted.length).toBe(vectors * toy_width);
          expect(far).toBeLessThan(1e-5);
          expect(Math.max(...features) - Math.min(...features)).toBeGreaterThan(0.5);
        } finally {
          await served.close();
        }
        await Deno.writeTextFile(join(dir, "none.png"), "no picture");
        await expect(cache.read(join(dir, "none.png"))).rejects.toBeInstanceOf(PictureFault);
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    });
  }
});
