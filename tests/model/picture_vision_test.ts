// Pictures through the real worker and a tower that answers its own pixels: what reaches the graph is exactly what the
// model was trained to see, whatever the size of the picture.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { vision_limits } from "../../src/vision/limits.ts";
import { GraphBuilder } from "../../src/vision/onnx/graph.ts";
import type { Picture } from "../../src/vision/picture.ts";
import { resizeInto } from "../../src/vision/resize.ts";
import { type GraphInput, planTiles, type Sight } from "../../src/vision/views.ts";
import { type OnnxVision, openVision, type VisionOptions } from "../../src/vision/vision.ts";
import { frame, withFolder } from "./towers.ts";

const width = 12;
const small = { name: "small", width_px: 8, height_px: 4 };
const large = { name: "large", width_px: 12, height_px: 6 };
const twin = { name: "twin", width_px: 8, height_px: 4 };

const plain: Sight = { fit: "stretch", filter: "bicubic", views: "whole", tiling: null, inputs: [small] };

/** For each of the batch: all pixels of all views of the first input, those of the second …, in rows of `width`. */
function mirrorTower(inputs: readonly GraphInput[], views: number, batch: string | number): Uint8Array {
  const graph = new GraphBuilder();
  const parts = inputs.map(({ name, width_px, height_px }) => {
    const rows = typeof batch === "string" ? `${batch}_${views}` : batch * views;
    const pixels = graph.input(name, "uint8", [rows, height_px, width_px, 3]);
    const floats = graph.node("Cast", `${name}_floats`, [pixels], { to: 1 });
    const shape = graph.integers(`${name}_shape`, [-1, views * height_px * width_px * 3]);
    return graph.node("Reshape", `${name}_row`, [floats, shape]);
  });
  const all = parts.length === 1 ? parts[0] : graph.node("Concat", "all", parts, { axis: 1 });
  const rows = graph.node("Reshape", "rows", [all, graph.integers("rows_shape", [0, -1, width])]);
  graph.output("vectors", rows, "float32", [batch, vectorsOf(inputs, views), width]);
  return graph.finish("mirror");
}

const vectorsOf = (inputs: readonly GraphInput[], views: number) =>
  inputs.reduce((sum, { width_px, height_px }) => sum + width_px * height_px * 3, 0) * views / width;

function withMirror(
  sight: Sight,
  body: (vision: OnnxVision) => Promise<void>,
  more: Partial<VisionOptions> & { batch?: string | number } = {},
): Promise<void> {
  return withFolder(async (dir) => {
    const model_path = join(dir, "vision.onnx");
    const views = sight.views === "whole" ? 1 : 5;
    const { batch = "N", ...options } = more;
    await Deno.writeFile(model_path, mirrorTower(sight.inputs, views, batch));
    const vision = await openVision({
      ...sight,
      model_path,
      width_px: sight.inputs[0].width_px,
      height_px: sight.inputs[0].height_px,
      vectors_per_frame: vectorsOf(sight.inputs, views),
      vector_width: width,
      threads: 1,
      providers: ["cpu"],
      log: () => {},
      ...options,
    });
    try {
      await body(vision);
    } finally {
      await vision.close();
    }
  });
}

function paint(width_px: number, height_px: number, seed = 1): Picture {
  return { rgb: frame({ width_px, height_px } as Parameters<typeof frame>[0], seed), width_px, height_px };
}

/** The same on this thread: tiles, inputs, views, one behind the other. */
function wanted(picture: Picture, sight: Sight): number[] {
  return planTiles(picture, sight).flat(2).flatMap((resizing) => {
    const out = new Uint8Array(resizing.window.width_px * resizing.window.height_px * 3);
    resizeInto(out, picture, resizing);
    return [...out];
  });
}

describe("encodePicture()", () => {
  const sights: Record<string, Sight> = {
    "one input": plain,
    "the middle of the picture": { ...plain, fit: "crop", filter: "bilinear" },
    "several inputs, two of one size": { ...plain, inputs: [small, large, twin] },
    "five views": { ...plain, views: "whole_and_quarters", inputs: [large, small] },
    "tiles": { ...plain, filter: "lanczos", tiling: { criterion: "closest", tiles_max: 7 } },
    "always four tiles": { ...plain, tiling: { criterion: "closest", tiles_max: 4, tiles_fixed: 4 } },
  };
  for (const [name, sight] of Object.entries(sights)) {
    for (const batch of ["N", 1]) {
      it(`hands every pixel on: ${name}, batch ${batch}`, () =>
        withMirror(sight, async (vision) => {
          const pictures = [[8, 4], [31, 9], [1, 1], [5, 40], [12, 6]].map(([width_px, height_px], seed) =>
            paint(width_px, height_px, seed)
          );
          const answers = await Promise.all(pictures.map((picture) => vision.encodePicture(picture)));
          for (const [index, picture] of pictures.entries()) {
            expect([...answers[index]]).toEqual(wanted(picture, sight));
          }
        }, { batch }));
    }
  }

  it("takes a frame for a picture of the frame's size, with all its tiles", () =>
    withMirror(sights["always four tiles"], async (vision) => {
      const picture = paint(8, 4, 3);
      const vectors = await vision.encode(picture.rgb);
      expect([...vectors]).toEqual(wanted(picture, sights["always four tiles"]));
      expect(vision.vectors_per_frame).toBe(4 * 8);
      expect(vectors.length).toBe(vision.vectors_per_frame * width);
    }));

  it("asks sources for frames of another size than the inputs", () =>
    withMirror({ ...plain, inputs: [small, large] }, async (vision) => {
      const picture = paint(20, 10, 4);
      expect([...await vision.encode(picture.rgb)]).toEqual(
        wanted(picture, { ...plain, inputs: [small, large] }),
      );
    }, { width_px: 20, height_px: 10 }));

  it("learns from the tower how many vectors a tile has", () =>
    withMirror(plain, async (vision) => {
      expect(vision.vectors_per_frame).toBe(8);
      expect((await vision.encodePicture(paint(3, 3))).length).toBe(8 * width);
    }, { vectors_per_frame: undefined }));

  it("keeps the caller's pixels", () =>
    withMirror(plain, async (vision) => {
      const picture = paint(8, 4, 5);
      const copy = { ...picture, rgb: picture.rgb.slice() };
      const pending = vision.encodePicture(picture);
      picture.rgb.fill(0);
      expect([...await pending]).toEqual(wanted(copy, plain));
      expect(picture.rgb.length).toBe(96);
    }));

  it("refuses what is no picture, with a sentence", () =>
    withMirror(plain, async (vision) => {
      const side = vision_limits.picture_side_px_max;
      const refused: [Partial<Picture>, string][] = [
        [{ rgb: new Uint8Array(5) }, "5 bytes, wanted are 8 x 4 x 3 = 96"],
        [{ width_px: 0 }, `0 x 4 pixels, each side must be 1 to ${side}`],
        [{ height_px: 1.5 }, `8 x 1.5 pixels, each side must be 1 to ${side}`],
        [{ width_px: side + 1 }, `${side + 1} x 4 pixels, each side must be 1 to ${side}`],
        [{ width_px: side, height_px: side }, `${side} x ${side} pixels are more than 67108864`],
      ];
      for (const [change, sentence] of refused) {
        const error = await vision.encodePicture({ ...paint(8, 4), ...change }).catch((error) => error);
        expect([error.code, error.message]).toEqual(["vision_input", `Cannot encode picture: ${sentence}`]);
      }
    }));

  it("is not opened with a sight that has no meaning, or other inputs than the graph's", async () => {
    const open = async (sight: Sight, written: Sight) => {
      let message = "";
      await withMirror(written, () => Promise.resolve(), sight).catch((error) => message = error.message);
      return message;
    };
    const fixed = sights["always four tiles"];
    expect(await open({ ...fixed, fit: "crop" }, fixed))
      .toMatch(/vision\.onnx": tiles are stretched, they cannot be cropped$/);
    expect(await open({ ...plain, inputs: [small, large] }, plain))
      .toMatch(/vision\.onnx": it has 1 inputs, 2 are wanted$/);
    expect(await open({ ...plain, inputs: [large] }, plain))
      .toMatch(/it has no input "large", but "small"$/);
    expect(await open({ ...plain, views: "whole_and_quarters" }, plain))
      .toMatch(/vision\.onnx": it answers \[5, 8, 12\], wanted is \[1, 8, 12\]$/);
  });
});
