import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { buildClipTower, type ClipTowerShape } from "../../src/vision/onnx/clip_tower.ts";
import { referenceTower } from "./reference_tower.ts";
import { frame, liveTower, small_tower, withVision } from "./towers.ts";

const shapes: Record<string, ClipTowerShape> = {
  "CLIP with class vector and uneven pooling": small_tower,
  "no class token, no norms around, one head": {
    ...small_tower,
    class_token: false,
    class_vector: false,
    pre_norm: false,
    post_norm: false,
    heads: 1,
    pool_rows: 1,
    pool_columns: 3,
  },
  "patches unpooled": {
    ...small_tower,
    width_px: 24,
    layers: 1,
    pool_rows: 3,
    pool_columns: 3,
    post_norm: false,
  },
};

describe("buildClipTower()", () => {
  for (const [name, shape] of Object.entries(shapes)) {
    it(`agrees with plain loops: ${name}`, () =>
      withVision(shape, async (vision) => {
        for (const seed of [1, 2]) {
          const rgb = frame(shape, seed);
          const wanted = referenceTower(shape, liveTower(shape, 1), rgb);
          const found = await vision.encode(rgb);
          expect(found.length).toBe(wanted.length);
          const worst = Math.max(...wanted.map((value, index) => Math.abs(value - found[index])));
          // float32 against float64 over a few hundred terms; measured 2e-6.
          expect(worst).toBeLessThan(1e-4);
          expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(0.1);
        }
      }));
  }

  it("says which tensor is missing or has the wrong size", () => {
    const weights = liveTower(small_tower, 1);
    const without = (name: string) => name === "pre_layrnorm.bias" ? undefined : weights(name);
    expect(() => buildClipTower(small_tower, without)).toThrow('needs the tensor "pre_layrnorm.bias"');
    const short = (name: string) => name.endsWith("fc2.weight") ? new Float32Array(3) : weights(name);
    expect(() => buildClipTower(small_tower, short)).toThrow('fc2.weight" has 3 elements, not 960');
    const odd = { ...small_tower, class_token: false };
    expect(() => buildClipTower(odd, weights)).toThrow("needs a class token");
  });
});
